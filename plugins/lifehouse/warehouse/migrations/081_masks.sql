-- Masks of personal columns in the views of marts. The views call these functions, which nobody outside can name:
-- so a reader cannot ask for the mask of a guess.

-- Made here, once: masks of the same value are the same in every mart and every release of this warehouse, and of no other.
create table control.mask_key (
    only_row boolean primary key default true check (only_row),
    key      bytea not null default sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()))
);
insert into control.mask_key default values;

create function control.sees_personal() returns boolean
language sql stable parallel safe
begin atomic
    select coalesce(bool_or(pg_has_role(current_user, roles.oid, 'usage')), true)
    from pg_catalog.pg_roles as roles
    where roles.rolname = 'lifehouse_personal';
end;
comment on function control.sees_personal() is
    'Whether who asks is a member of lifehouse_personal; true where there are no roles, since only the owner reads there.';

create function control.mask_token(value text, kind text) returns text
language sql stable strict parallel safe security definer
begin atomic
    select 'm_' || left(
        encode(
            sha256(
                mask_key.key || convert_to(
                    case
                        when value like '%@%' then lower(trim(value))
                        when kind = 'phone' then right(regexp_replace(value, '[^0-9]', '', 'g'), 10)
                        else upper(regexp_replace(value, '[^0-9A-Za-z]', '', 'g'))
                    end,
                    'UTF8'
                )
            ),
            'hex'
        ),
        20
    )
    from control.mask_key as mask_key;
end;
comment on function control.mask_token(text, text) is
    'A keyed hash of an identifier in the shape in which identities are matched: equal identifiers have equal masks.';
