"""Makes the files of this folder and expected.json: pyarrow writes them, DuckDB (another reader) says what is in them.
python3 -m venv v && v/bin/pip install pyarrow duckdb==1.5.5 && v/bin/python make.py"""
import decimal, json, os, random
import duckdb, pyarrow as pa, pyarrow.parquet as pq

here = os.path.dirname(os.path.abspath(__file__))
random.seed(7)
n = 70
some = lambda f: [None if random.random() < 0.2 else f(i) for i in range(n)]
table = pa.table({
    "b": pa.array(some(lambda i: i % 3 == 0)),
    "i": pa.array(some(lambda i: random.randint(-2**31, 2**31 - 1)), pa.int32()),
    "l": pa.array(some(lambda i: random.choice([-2**63, 2**63 - 1, i])), pa.int64()),
    "r": pa.array([i // 9 for i in range(n)], pa.int64()),
    "f": pa.array(some(lambda i: i / 8), pa.float32()),
    "d": pa.array(some(lambda i: i / 3), pa.float64()),
    "s": pa.array(some(lambda i: "prefix-" * (i % 4) + str(i))),
    "w": pa.array(some(lambda i: ["grün", "", "日本", "😀"][i % 4])),
    "n": pa.array(some(lambda i: decimal.Decimal(random.randint(-10**11, 10**11)).scaleb(-4)), pa.decimal128(12, 4)),
    "x": pa.array(some(lambda i: bytes([i] * 5)), pa.binary(5)),
    "a": pa.array(some(lambda i: [None if j == 1 else j for j in range(i % 4)]), pa.list_(pa.int32())),
})
common = dict(row_group_size=50, data_page_size=120, write_batch_size=8, write_statistics=True, store_schema=False)
pq.write_table(table, f"{here}/plain.parquet", compression="NONE", use_dictionary=False, write_page_checksum=False, **common)
pq.write_table(table, f"{here}/dictionary.parquet", compression="SNAPPY", use_dictionary=True, data_page_version="2.0", **common)
pq.write_table(table, f"{here}/delta.parquet", compression="LZ4", use_dictionary=False, data_page_version="2.0", column_encoding={
    "i": "DELTA_BINARY_PACKED", "l": "DELTA_BINARY_PACKED", "r": "DELTA_BINARY_PACKED", "f": "BYTE_STREAM_SPLIT", "d": "BYTE_STREAM_SPLIT",
    "s": "DELTA_BYTE_ARRAY", "w": "DELTA_LENGTH_BYTE_ARRAY", "x": "PLAIN", "n": "PLAIN", "b": "RLE"}, **common)
# Values as text, as DuckDB prints them.
columns = table.column_names
for name in ["plain", "dictionary", "delta"]:
    query = f"select {', '.join(f'{c}::varchar' if c != 'a' else 'a::json::varchar' for c in columns)} from '{here}/{name}.parquet'"
    rows = [list(r) for r in duckdb.sql(query).fetchall()]
    if name == "plain": expected = rows
    assert rows == expected, name
with open(f"{here}/expected.json", "w") as f:
    f.write(json.dumps({"columns": columns}, ensure_ascii=False)[:-1] + ', "rows": [\n' + ",\n".join(json.dumps(r, ensure_ascii=False) for r in expected) + "\n]}\n")
