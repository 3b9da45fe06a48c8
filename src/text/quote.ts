/** SQL quoting. */

// Words that cannot be an identifier without quotes: PostgreSQL quotes all that are not unreserved.
const KEYWORDS = new Set((
  'all analyse analyze and any array as asc asymmetric both case cast check collate column constraint create current_catalog current_date current_role current_time '
  + 'current_timestamp current_user default deferrable desc distinct do else end except false fetch for foreign from grant group having in initially intersect into lateral '
  + 'leading limit localtime localtimestamp not null offset on only or order placing primary references returning select session_user some symmetric table then to trailing true '
  + 'union unique user using variadic when where window with '
  + 'authorization binary collation concurrently cross current_schema freeze full ilike inner is isnull join left like natural notnull outer overlaps right similar tablesample verbose '
  + 'between bigint bit boolean char character coalesce dec decimal exists extract float greatest grouping inout int integer interval least national nchar none normalize nullif numeric '
  + 'out overlay position precision real row setof smallint substring time timestamp treat trim values varchar xmlattributes xmlconcat xmlelement xmlexists xmlforest xmlnamespaces '
  + 'xmlparse xmlpi xmlroot xmlserialize xmltable').split(' '))

/** An identifier, in double quotes where it would not be read as itself. */
export function quoteIdentifier(name: string): string {
  return /^[a-z_][a-z0-9_]*$/.test(name) && !KEYWORDS.has(name) ? name : `"${name.replaceAll('"', '""')}"`
}

/** A string constant; with backslashes it is an E'' string. */
export function quoteLiteral(text: string): string {
  return text.includes('\\') ? `E'${text.replaceAll("'", "''").replaceAll('\\', '\\\\')}'` : `'${text.replaceAll("'", "''")}'`
}
