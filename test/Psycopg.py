"""What psycopg 3 does with a served lake, as one JSON object. Arguments: the port, a table with an int8 column k and a text column v."""
import json, sys
import psycopg

port, table = sys.argv[1], sys.argv[2]
said = {}


def step(name, work):
    try:
        said[name] = work()
    except Exception as e:
        said[name] = f"FAILED {type(e).__name__}: {e}"


with psycopg.connect(f"host=localhost port={port} user=me dbname=lake") as c:
    step("version", lambda: c.info.server_version // 10000)

    def cursor(binary):
        with c.cursor(binary=binary) as cur:
            return [str(x) for x in cur.execute("select %s::int4 + 1, 1.50::numeric, '2024-02-29'::date, '{1,2}'::int4[], 'é'::text, null, true, 0.1::float8", (41,)).fetchone()]
    step("text", lambda: cursor(False))
    step("binary", lambda: cursor(True))
    step("prepared", lambda: [c.execute("select %s::int8 + 1", (i,), prepare=True).fetchone()[0] for i in range(8)])

    def server_side():
        with c.cursor(name="far") as cur:
            cur.execute(f"select k from {table} order by k")
            return [len(cur.fetchmany(3)), len(cur.fetchall())]
    step("server-side cursor", server_side)

    def copy(binary):
        with c.cursor() as cur, cur.copy(f"copy (select k, v from {table} order by k limit 2) to stdout" + (" (format binary)" if binary else "")) as out:
            if binary:
                out.set_types(["int8", "text"])
            return [[str(x) for x in row] for row in out.rows()]
    step("copy", lambda: copy(False) == copy(True) and len(copy(True)))

    def pipeline():
        with c.pipeline():
            cursors = [c.execute("select %s::int4", (i,)) for i in range(5)]
            return [cur.fetchone()[0] for cur in cursors]
    step("pipeline", pipeline)

    def failed_pipeline():
        try:
            with c.pipeline():
                c.execute("select 1")
                c.execute("select nosuch")
                c.execute("select 2")
        except psycopg.Error as e:
            c.rollback()
            return [e.sqlstate, c.execute("select 7").fetchone()[0]]
    step("pipeline with an error", failed_pipeline)

    def error():
        try:
            c.execute(f"select  nosuch from {table}")
        except psycopg.Error as e:
            c.rollback()
            return [e.sqlstate, e.diag.statement_position, e.diag.severity, c.execute("select 7").fetchone()[0]]
    step("error", error)

    def stream():
        with c.cursor() as cur:
            return sum(1 for _ in cur.stream(f"select k from {table}"))
    step("stream", stream)
    step("type", lambda: psycopg.types.TypeInfo.fetch(c, "int4").array_oid)
    c.rollback()
    c.autocommit = True
    step("autocommit", lambda: [c.execute("select 7").fetchone()[0], c.info.transaction_status.name])
print(json.dumps(said))
