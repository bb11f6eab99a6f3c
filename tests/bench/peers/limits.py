"""What PostgreSQL alone takes here: the rows a step leaves, in the ways one could write them.
Prints result lines."""
import json
import os
import pathlib
import re
import subprocess
import tempfile

SECONDS = 4
SCHEMA = """create database limits;
\\c limits
create table steps (id bigserial primary key, status int not null default 0, output text)
  with (fillfactor = 70);
create table events (id bigserial primary key, step bigint, body text);
insert into steps (output) select null from generate_series(1, 200000);"""
# name -> clients, steps a transaction, script
WAYS = {
    "a step a transaction, one connection": (1, 1, "one"),
    "a step a transaction, 32 connections": (32, 1, "one"),
    "100 steps a transaction, one connection": (1, 100, "many"),
    "100 steps a transaction, two connections": (2, 100, "many"),
}
SCRIPTS = {
    "one": """\\set id random(1, 200000)
with s as (update steps set status = 1 - status, output = 'x' where id = :id returning id)
insert into events (step, body) select id, 'completed' from s;""",
    "many": """\\set id random(1, 199900)
with s as (update steps set status = 1 - status, output = 'x'
            where id = any (select generate_series(:id, :id + 99)) returning id)
insert into events (step, body) select id, 'completed' from s;""",
}


def psql(*args, **more):
    subprocess.run(["psql", "-qX", "-v", "ON_ERROR_STOP=1", *args], check=True,
                   stdout=subprocess.DEVNULL, **more)


def transactions(clients, script):
    said = subprocess.run(["pgbench", "-n", "-M", "prepared", "-T", str(SECONDS), "-c",
                           str(clients), "-j", "2", "-f", script, "limits"], check=True,
                          capture_output=True, text=True, env={**os.environ, "PGOPTIONS":
                          "-c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off"})
    return float(re.search(r"tps = ([\d.]+)", said.stdout)[1])


def main():
    psql("-d", "postgres", "-c", "drop database if exists limits")
    psql("-d", "postgres", input=SCHEMA, text=True)
    with tempfile.TemporaryDirectory() as folder:
        for name, script in SCRIPTS.items():
            (pathlib.Path(folder) / name).write_text(script)
        for rep in range(int(os.environ["REPS"])):
            for way, (clients, steps, script) in WAYS.items():
                value = transactions(clients, str(pathlib.Path(folder) / script)) * steps
                print(json.dumps({"peer": "limits", "version": "", "workload": "limit",
                                  "metric": "per_s", "variant": way, "rep": rep,
                                  "config": "an update and an insert", "value": value}), flush=True)
    psql("-d", "postgres", "-c", "drop database limits")


if __name__ == "__main__":
    main()
