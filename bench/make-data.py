"""Makes TPC-H tables as Parquet with DuckDB's own generator: python make-data.py FOLDER SCALE TABLE…  (needs duckdb and duckdb-extension-tpch 1.5.5)"""
import pathlib
import sys

import duckdb
import duckdb_extension_tpch

folder, scale, tables = pathlib.Path(sys.argv[1]), float(sys.argv[2]), sys.argv[3:]
extension = next(pathlib.Path(duckdb_extension_tpch.__file__).parent.rglob("tpch.duckdb_extension"))
connection = duckdb.connect(config={"allow_unsigned_extensions": "true", "threads": "2"})
connection.execute(f"LOAD '{extension}'")
connection.execute(f"CALL dbgen(sf = {scale:g})")
for table in tables:
    (folder / table).mkdir(parents=True, exist_ok=True)
    connection.execute(f"COPY {table} TO '{folder / table / (table + '.parquet')}' (FORMAT parquet)")
