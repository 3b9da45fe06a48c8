"""Makes all TPC-H tables as Parquet with DuckDB's own generator, and its 22 questions beside them: python make-tpch.py FOLDER SCALE  (needs duckdb and duckdb-extension-tpch 1.5.5)"""
import json
import pathlib
import sys

import duckdb
import duckdb_extension_tpch

folder, scale = pathlib.Path(sys.argv[1]), float(sys.argv[2])
extension = next(pathlib.Path(duckdb_extension_tpch.__file__).parent.rglob("tpch.duckdb_extension"))
connection = duckdb.connect(config={"allow_unsigned_extensions": "true", "threads": "2"})
connection.execute(f"LOAD '{extension}'")
connection.execute(f"CALL dbgen(sf = {scale:g})")
for (table,) in connection.execute("SELECT table_name FROM information_schema.tables").fetchall():
    (folder / table).mkdir(parents=True, exist_ok=True)
    connection.execute(f"COPY {table} TO '{folder / table / (table + '.parquet')}' (FORMAT parquet, COMPRESSION zstd)")
questions = {str(number): text for number, text in connection.execute("SELECT query_nr, query FROM tpch_queries()").fetchall()}
(folder / "questions.json").write_text(json.dumps(questions))
