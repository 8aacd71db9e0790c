#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

# Makes the database at the first start, all of it or nothing, then becomes PostgreSQL.
set -eu
umask 077
: "${PGDATA:?}" "${POSTGRES_USER:?}" "${POSTGRES_DB:?}" "${POSTGRES_PASSWORD_FILE:?}"
known="$PGDATA.password"
version="$(postgres --version | sed 's/[^0-9]*\([0-9]*\).*/\1/')"

refuse() {
    printf 'Cannot start PostgreSQL %s on "%s": %s\n' "$version" "$PGDATA" "$1" >&2
    exit 1
}

for name in "$POSTGRES_USER" "$POSTGRES_DB"; do
    case "$name" in
        '' | *[!a-z0-9_]*) refuse "POSTGRES_USER and POSTGRES_DB may hold a-z, 0-9 and _ only." ;;
    esac
done

# The tools look for the name of their user, and a uid of one's choice has none.
with_a_name() {
    names="${TMPDIR:-/tmp}/names"
    mkdir -p "$names"
    printf 'postgres:x:%s:%s::/tmp:/bin/false\n' "$(id -u)" "$(id -g)" >"$names/passwd"
    printf 'postgres:x:%s:\n' "$(id -g)" >"$names/group"
    LD_PRELOAD=libnss_wrapper.so NSS_WRAPPER_PASSWD="$names/passwd" \
        NSS_WRAPPER_GROUP="$names/group" "$@"
}

# Statements on standard input, where no process list shows them; nobody else is served.
# A killed server left its pid, which is this script's now: it is no other server.
alone() {
    with_a_name env PG_GRANDPARENT_PID="$$" postgres --single -j -c exit_on_error=true -c log_statement=none \
        -c log_min_error_statement=panic -D "$1" postgres >/dev/null
}

password() { sed "s/'/''/g" "$POSTGRES_PASSWORD_FILE"; }

if [ ! -e "$PGDATA" ] || [ -z "$(ls -A "$PGDATA")" ]; then
    rm -rf "$PGDATA.new"
    with_a_name initdb --pgdata="$PGDATA.new" --username=postgres --auth-local=trust \
        --auth-host=scram-sha-256 --encoding=UTF8 --locale=C.UTF-8 --data-checksums --no-instructions
    printf 'host all all all scram-sha-256\n' >>"$PGDATA.new/pg_hba.conf"
    # No superuser: what holds this password can neither run programs nor read files here.
    printf "CREATE ROLE %s LOGIN PASSWORD '%s';\n\nCREATE DATABASE %s OWNER %s;\n\n" \
        "$POSTGRES_USER" "$(password)" "$POSTGRES_DB" "$POSTGRES_USER" | alone "$PGDATA.new"
    sha256sum <"$POSTGRES_PASSWORD_FILE" >"$known"
    sync
    rmdir "$PGDATA" 2>/dev/null || true
    mv -T "$PGDATA.new" "$PGDATA"
fi

made_by="$(cat "$PGDATA/PG_VERSION" 2>/dev/null || true)"
if [ "$made_by" != "$version" ]; then
    refuse "it was made by PostgreSQL ${made_by:-of no known version}. Set deployment_postgres_image to an \
image of that version, or dump the database with it and load the dump into a new one."
fi
if [ "$(cat "$known" 2>/dev/null)" != "$(sha256sum <"$POSTGRES_PASSWORD_FILE")" ]; then
    printf "ALTER ROLE %s PASSWORD '%s';\n\n" "$POSTGRES_USER" "$(password)" | alone "$PGDATA"
    sha256sum <"$POSTGRES_PASSWORD_FILE" >"$known"
fi

[ "${1:-}" = postgres ] && shift
exec postgres -D "$PGDATA" -c listen_addresses='*' -c unix_socket_directories=/run/postgresql "$@"
