"""Eight tasks side by side and one after them: enough for two workers."""

from __future__ import annotations

import os
import time

from airflow.sdk import dag, task


@dag(schedule=None, catchup=False)
def fan() -> None:
    @task
    def work(number: int) -> int:
        time.sleep(0.5)
        return os.getppid()

    @task
    def gather(numbers: list[int]) -> int:
        return len(list(numbers))

    gather([work.override(task_id=f"work_{number}")(number) for number in range(8)])


fan()
