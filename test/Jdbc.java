import java.math.BigDecimal;
import java.sql.*;
import java.util.*;

/** What pgjdbc does with a served lake, as lines `name: value`. Arguments: the port, a table with an int8 primary key k and a text v. */
public class Jdbc {
    interface Step { Object run() throws Exception; }

    static void step(String name, Step step) {
        try {
            System.out.println(name + ": " + step.run());
        } catch (SQLException e) {
            System.out.println(name + ": FAILED " + e.getSQLState() + " " + e.getMessage().replace('\n', ' '));
        } catch (Exception e) {
            System.out.println(name + ": FAILED " + e);
        }
    }

    static List<String> rows(ResultSet rs, String... columns) throws SQLException {
        List<String> rows = new ArrayList<>();
        while (rs.next()) {
            StringBuilder row = new StringBuilder();
            for (String column : columns) row.append(row.length() == 0 ? "" : "|").append(rs.getString(column));
            rows.add(row.toString());
        }
        return rows;
    }

    public static void main(String[] args) throws Exception {
        String table = args[1];
        try (Connection c = DriverManager.getConnection("jdbc:postgresql://localhost:" + args[0] + "/lake", "me", "")) {
            step("prepared", () -> {
                // the sixth is named, and its answer binary
                List<Object> values = new ArrayList<>();
                try (PreparedStatement p = c.prepareStatement("SELECT ?::int4 + 1, ?::numeric(10,2), ?::text, ?::int8, ?::date")) {
                    for (int i = 0; i < 8; i++) {
                        p.setInt(1, i); p.setBigDecimal(2, new BigDecimal("1.50")); p.setString(3, "é" + i); p.setLong(4, 1L << 40); p.setDate(5, java.sql.Date.valueOf("2024-02-29"));
                        try (ResultSet rs = p.executeQuery()) { rs.next(); values.add(rs.getInt(1) + "/" + rs.getBigDecimal(2) + "/" + rs.getString(3) + "/" + rs.getLong(4) + "/" + rs.getDate(5)); }
                    }
                }
                return new LinkedHashSet<>(values.subList(0, 1)) + " " + values.get(7);
            });
            step("types", () -> {
                String out = "";
                try (PreparedStatement p = c.prepareStatement("SELECT true, 1::int2, 1.5::float4, 1.5::float8, '2024-02-29 12:00'::timestamp, '\\x00ff'::bytea, 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid, ARRAY[1,2], NULL::int4, '12:34:56'::time")) {
                    for (int i = 0; i < 7; i++) {
                        try (ResultSet rs = p.executeQuery()) {
                            rs.next();
                            out = rs.getBoolean(1) + " " + rs.getShort(2) + " " + rs.getFloat(3) + " " + rs.getDouble(4) + " " + rs.getTimestamp(5) + " " + rs.getBytes(6).length + " " + rs.getObject(7) + " " + Arrays.toString((Object[]) rs.getArray(8).getArray()) + " " + rs.getObject(9) + " " + rs.getTime(10);
                        }
                    }
                }
                return out;
            });
            step("fetchSize", () -> {
                c.setAutoCommit(false);
                int rows = 0; long sum = 0;
                try (Statement s = c.createStatement()) {
                    s.setFetchSize(7);
                    try (ResultSet rs = s.executeQuery("SELECT k FROM " + table + " ORDER BY k")) { while (rs.next()) { rows++; sum += rs.getLong(1); } }
                }
                c.commit();
                c.setAutoCommit(true);
                return rows + " rows, sum " + sum;
            });
            step("error", () -> {
                try (Statement s = c.createStatement()) { s.executeQuery("SELECT  nosuch FROM " + table); return "none"; }
                catch (org.postgresql.util.PSQLException e) { return e.getSQLState() + " at " + e.getServerErrorMessage().getPosition(); }
            });
            step("after the error", () -> { try (Statement s = c.createStatement(); ResultSet rs = s.executeQuery("SELECT 7")) { rs.next(); return rs.getInt(1); } });
            step("transaction", () -> {
                c.setAutoCommit(false);
                String state = "";
                try (Statement s = c.createStatement()) {
                    try { s.execute("SELECT 1/n FROM (VALUES (0), (1)) AS v(n)"); } catch (SQLException e) { state += e.getSQLState(); }
                    try { s.execute("SELECT 1"); } catch (SQLException e) { state += " " + e.getSQLState(); }
                    c.rollback();
                    try (ResultSet rs = s.executeQuery("SELECT 7")) { rs.next(); state += " " + rs.getInt(1); }
                }
                c.rollback();
                c.setAutoCommit(true);
                return state;
            });
            step("isolation", () -> c.getTransactionIsolation() == Connection.TRANSACTION_READ_COMMITTED);
            DatabaseMetaData meta = c.getMetaData();
            step("product", () -> meta.getDatabaseProductName() + " " + meta.getDatabaseMajorVersion());
            step("schemas", () -> rows(meta.getSchemas(), "TABLE_SCHEM"));
            step("tables", () -> rows(meta.getTables(null, null, table, new String[] {"TABLE"}), "TABLE_SCHEM", "TABLE_NAME", "TABLE_TYPE"));
            step("columns", () -> rows(meta.getColumns(null, null, table, "%"), "COLUMN_NAME", "TYPE_NAME", "COLUMN_SIZE", "NULLABLE", "ORDINAL_POSITION"));
            step("primary key", () -> rows(meta.getPrimaryKeys(null, "default", table), "COLUMN_NAME", "KEY_SEQ", "PK_NAME"));
            step("indexes", () -> rows(meta.getIndexInfo(null, "default", table, false, false), "INDEX_NAME", "COLUMN_NAME"));
            step("result metadata", () -> {
                try (Statement s = c.createStatement(); ResultSet rs = s.executeQuery("SELECT k, v FROM " + table + " LIMIT 0")) {
                    ResultSetMetaData m = rs.getMetaData();
                    return m.getTableName(1) + "." + m.getColumnName(1) + " " + m.getColumnTypeName(1) + " " + m.isNullable(1) + ", " + m.getColumnTypeName(2);
                }
            });
            step("copy", () -> {
                java.io.StringWriter out = new java.io.StringWriter();
                long rows = ((org.postgresql.PGConnection) c).getCopyAPI().copyOut("COPY (SELECT k FROM " + table + " ORDER BY k LIMIT 2) TO STDOUT (FORMAT csv)", out);
                return rows + " " + out.toString().replace("\n", ";");
            });
            step("timeout", () -> {
                try (Statement s = c.createStatement()) {
                    s.setQueryTimeout(1);
                    s.execute("SELECT count(*) FROM " + table + " a, " + table + " b, " + table + " c, " + table + " d, " + table + " e WHERE a.v || b.v || c.v || d.v || e.v = 'x'");
                    return "no end";
                } catch (SQLException e) { return e.getSQLState(); }
            });
            step("after the timeout", () -> { try (Statement s = c.createStatement(); ResultSet rs = s.executeQuery("SELECT 7")) { rs.next(); return rs.getInt(1); } });
        }
    }
}
