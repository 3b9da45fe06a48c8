/** Random tables and queries for `fuzz.ts`. */
type Ty = 'int2' | 'int4' | 'int8' | 'float8' | 'numeric' | 'text' | 'bool' | 'date' | 'timestamp'
const TYPES: Ty[] = ['int2', 'int4', 'int8', 'float8', 'numeric', 'text', 'bool', 'date', 'timestamp']
interface Scoped { sql: string; ty: Ty }
interface RandomTable { name: string; cols: { name: string; ty: Ty; decl: string }[] }

function rng(seed: number) {
  let s = seed >>> 0
  return () => { s = (s + 0x6d2b79f5) >>> 0; let x = Math.imul(s ^ (s >>> 15), 1 | s); x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x; return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32 }
}

/** Tables, their rows and queries over them, drawn from a seed: what PostgreSQL takes, and what Sluice's binder takes, mostly. */
export class RandomQueries {
  r: () => number
  tabs: RandomTable[] = []
  alias = 0
  budget = 0
  constructor(seed: number) { this.r = rng(seed * 7919 + 13) }
  n(k: number): number { return Math.floor(this.r() * k) }
  p(x: number): boolean { return this.r() < x }
  of<T>(a: readonly T[]): T { return a[this.n(a.length)] as T }

  lit(ty: Ty, wild = true): string {
    if (this.p(0.08)) return 'NULL'
    const w = wild && this.p(0.12)
    switch (ty) {
      case 'int2': return w ? this.of(['32767', '-32768']) : String(this.n(12) - 4)
      case 'int4': return w ? this.of(['2147483647', '-2147483648', '65536']) : String(this.n(12) - 4)
      case 'int8': return w ? this.of(['9223372036854775807', '-9223372036854775808', '4294967296']) : String(this.n(12) - 4)
      case 'float8': return w ? this.of(["'NaN'", "'Infinity'", "'-Infinity'", '1e300', '1e-300', '0.1', '4503599627370497.5']) : String((this.n(40) - 16) / 4)
      case 'numeric': return w ? this.of(['12345678.91', '-99999999.99', '0.01', '0.005', '1.5', '-2.5']) : String((this.n(400) - 150) / 100)
      case 'text': return w ? this.of(["''", "' a '", "'～b'", "'😀'", "'a%b'", "'x_y'", "'It''s a long text of more than sixteen bytes'", "'It''s a long text of more than sixteen bytez'", "'\\'"]) : "'" + this.of(['a', 'b', 'ab', 'abc', 'B', 'z', '1', '12', 'aa']) + "'"
      case 'bool': return this.of(['true', 'false'])
      case 'date': return w ? this.of(["'0001-01-01'", "'9999-12-31'", "'1969-12-31'", "'2000-02-29'"]) : `'2024-0${1 + this.n(3)}-0${1 + this.n(9)}'`
      case 'timestamp': return w ? this.of(["'0001-01-01 00:00:00'", "'9999-12-31 23:59:59.999999'", "'1969-12-31 23:59:59.5'", "'2000-02-29 12:34:56.789012'"]) : `'2024-0${1 + this.n(3)}-0${1 + this.n(9)} 0${this.n(4)}:00:00'`
    }
  }
  typed(ty: Ty): string {
    const l = this.lit(ty)
    if (l === 'NULL') return `NULL::${ty}`
    if (ty === 'int4' && /^\d+$/.test(l) || ty === 'bool') return l
    return l.startsWith("'") ? `${l}::${ty}` : `(${l})::${ty}`
  }
  /** CREATE TABLE and INSERT. */
  schema(): string[] {
    const out: string[] = []
    for (let t = 0; t < 3; t++) {
      const cols = [{ name: 'k', ty: this.of<Ty>(['int4', 'int4', 'int8', 'int2', 'text', 'date']), decl: '' }]
      for (let c = 0, m = 2 + this.n(5); c < m; c++) cols.push({ name: `c${c}`, ty: this.of(TYPES), decl: '' })
      for (const col of cols) col.decl = col.ty === 'numeric' ? this.of(['numeric(12,2)', 'numeric(10,2)', 'numeric(20,4)', 'numeric(30,2)', 'numeric(38,10)']) : col.ty
      const tab = { name: `t${t}`, cols }
      this.tabs.push(tab)
      out.push(`CREATE TABLE ${tab.name} (${cols.map(c => `${c.name} ${c.decl}`).join(', ')})`)
      const rows = this.of([0, 1, 5, 12, 12, 30, 30])
      for (let done = 0; done < rows;) {
        const k = Math.min(rows - done, 1 + this.n(15)); done += k
        out.push(`INSERT INTO ${tab.name} VALUES ${Array.from({ length: k }, () => `(${cols.map(c => this.lit(c.ty)).join(', ')})`).join(', ')}`)
      }
    }
    return out
  }
  num(scope: Scoped[], d: number): string { return this.e(this.of<Ty>(['int2', 'int4', 'int8', 'float8', 'numeric']), scope, d) }
  any(scope: Scoped[], d: number): [string, Ty] { const ty = this.of(TYPES); return [this.e(ty, scope, d), ty] }
  /** An expression of a type over the columns in scope. */
  e(ty: Ty, scope: Scoped[], d: number): string {
    const here = scope.filter(c => c.ty === ty)
    if (d <= 0 || this.p(0.25)) return here.length > 0 && this.p(0.8) ? this.of(here).sql : this.typed(ty)
    d--
    const s = scope
    const generic = (): string => {
      switch (this.n(5)) {
        case 0: return `CASE WHEN ${this.b(s, d)} THEN ${this.e(ty, s, d)} ${this.p(0.4) ? `WHEN ${this.b(s, d)} THEN ${this.e(ty, s, d)} ` : ''}${this.p(0.7) ? `ELSE ${this.e(ty, s, d)} ` : ''}END`
        case 1: return `coalesce(${this.e(ty, s, d)}, ${this.e(ty, s, d)})`
        case 2: return `nullif(${this.e(ty, s, d)}, ${this.e(ty, s, d)})`
        case 3: return `${this.of(['greatest', 'least'])}(${this.e(ty, s, d)}, ${this.e(ty, s, d)})`
        default: {
          const k = this.of(TYPES)
          return `CASE ${this.e(k, s, d)} WHEN ${this.typed(k)} THEN ${this.e(ty, s, d)} ELSE ${this.e(ty, s, d)} END`
        }
      }
    }
    if (this.p(0.3)) return ty === 'bool' && this.p(0.7) ? this.b(s, d) : generic()
    switch (ty) {
      case 'bool': return this.b(s, d)
      case 'int2': return this.of([() => `(${this.e('int2', s, d)} ${this.of(['+', '-', '*'])} ${this.e('int2', s, d)})`, () => `(${this.e('int4', s, d)})::int2`, () => `abs(${this.e('int2', s, d)})`, () => `(- ${this.e('int2', s, d)})`, () => `(${this.e('int2', s, d)} % ${this.e('int2', s, d)})`])()
      case 'int4': return this.of([
        () => `(${this.e('int4', s, d)} ${this.of(['+', '-', '*', '/', '%', '+', '-', '&', '|', '#'])} ${this.e(this.of<Ty>(['int4', 'int2']), s, d)})`, () => `length(${this.e('text', s, d)})`, () => `(${this.e('date', s, d)} - ${this.e('date', s, d)})`,
        () => `(${this.e(this.of<Ty>(['int8', 'float8', 'numeric', 'bool']), s, d)})::int4`, () => `abs(${this.e('int4', s, d)})`, () => `(- ${this.e('int4', s, d)})`, () => `strpos(${this.e('text', s, d)}, ${this.e('text', s, d)})`, () => `ascii(${this.e('text', s, d)})`, () => `octet_length(${this.e('text', s, d)})`])()
      case 'int8': return this.of([() => `(${this.e('int8', s, d)} ${this.of(['+', '-', '*', '/', '%'])} ${this.e(this.of<Ty>(['int8', 'int4', 'int2']), s, d)})`, () => `(${this.e(this.of<Ty>(['int4', 'float8', 'numeric', 'int2']), s, d)})::int8`, () => `abs(${this.e('int8', s, d)})`])()
      case 'float8': return this.of([() => `(${this.e('float8', s, d)} ${this.of(['+', '-', '*', '/'])} ${this.e('float8', s, d)})`, () => `(${this.e(this.of<Ty>(['int4', 'int8', 'numeric']), s, d)})::float8`, () => `${this.of(['abs', 'floor', 'ceil', 'round', 'trunc', 'sign'])}(${this.e('float8', s, d)})`, () => `sqrt(${this.e('float8', s, d)})`])()
      case 'numeric': return this.of([
        () => `(${this.e('numeric', s, d)} ${this.of(['+', '-', '*', '/', '%', '+', '*'])} ${this.e(this.of<Ty>(['numeric', 'numeric', 'int4', 'int8']), s, d)})`, () => `(${this.e(this.of<Ty>(['int4', 'int8']), s, d)})::numeric`, () => `${this.of(['abs', 'floor', 'ceil', 'round', 'trunc', 'sign'])}(${this.e('numeric', s, d)})`,
        () => `round(${this.e('numeric', s, d)}, ${this.n(4)})`, () => `(${this.num(s, d)})::numeric(${this.of(['8,1', '12,3', '20,0', '38,6'])})`, () => `extract(${this.of(['year', 'month', 'day', 'dow', 'doy', 'epoch', 'week', 'quarter'])} FROM ${this.e(this.of<Ty>(['date', 'timestamp']), s, d)})`])()
      case 'text': return this.of([
        () => `(${this.e('text', s, d)} || ${this.e('text', s, d)})`, () => `${this.of(['upper', 'lower', 'trim', 'ltrim', 'rtrim', 'reverse', 'initcap', 'md5'])}(${this.e('text', s, d)})`, () => `substr(${this.e('text', s, d)}, ${this.n(4) - 1}, ${this.n(4)})`,
        () => `(${this.any(s, d)[0]})::text`, () => `replace(${this.e('text', s, d)}, ${this.typed('text')}, ${this.e('text', s, d)})`, () => `${this.of(['left', 'right'])}(${this.e('text', s, d)}, ${this.n(6) - 3})`, () => `concat(${this.any(s, d)[0]}, ${this.e('text', s, d)})`, () => `${this.of(['lpad', 'rpad'])}(${this.e('text', s, d)}, ${this.n(7)}, ${this.e('text', s, d)})`, () => `repeat(${this.e('text', s, d)}, ${this.n(4)})`, () => `split_part(${this.e('text', s, d)}, 'b', ${1 + this.n(2)})`])()
      case 'date': return this.of([() => `(${this.e('date', s, d)} ${this.of(['+', '-'])} ${this.e('int4', s, d)})`, () => `(${this.e('timestamp', s, d)})::date`])()
      case 'timestamp': return this.of([() => `date_trunc('${this.of(['day', 'month', 'hour', 'year', 'week', 'quarter'])}', ${this.e('timestamp', s, d)})`, () => `(${this.e('date', s, d)})::timestamp`, () => `(${this.e('timestamp', s, d)} ${this.of(['+', '-'])} interval '${this.of(['1 day', '3 hours', '1 month', '1 year 2 days', '-90 minutes'])}')`])()
    }
  }
  b(s: Scoped[], d: number): string {
    const d1 = d - 1
    switch (this.n(d > 0 ? 14 : 8)) {
      case 0: case 1: case 2: { const ty = this.of(TYPES); return `(${this.e(ty, s, d1)} ${this.of(['=', '<>', '<', '<=', '>', '>='])} ${this.e(ty, s, d1)})` }
      case 3: { const [x] = this.any(s, d1); return `(${x} IS ${this.p(0.5) ? 'NOT ' : ''}NULL)` }
      case 4: { const ty = this.of(TYPES); return `(${this.e(ty, s, d1)} ${this.p(0.3) ? 'NOT ' : ''}IN (${Array.from({ length: 1 + this.n(4) }, () => this.typed(ty)).join(', ')}))` }
      case 5: { const ty = this.of(TYPES); return `(${this.e(ty, s, d1)} ${this.p(0.2) ? 'NOT ' : ''}BETWEEN ${this.e(ty, s, d1)} AND ${this.e(ty, s, d1)})` }
      case 6: return `(${this.e('text', s, d1)} ${this.of(['LIKE', 'NOT LIKE', 'ILIKE'])} ${this.of(["'a%'", "'%b'", "'%a%'", "'_b%'", "'a_c'", "'%'", "'A%'", "''", "'%～%'", "'_'"])})`
      case 7: { const x = this.of<Ty>(['int2', 'int4', 'int8', 'float8', 'numeric']), y = this.of<Ty>(['int2', 'int4', 'int8', 'float8', 'numeric']); return `(${this.e(x, s, d1)} ${this.of(['=', '<', '>=', '<>'])} ${this.e(y, s, d1)})` }
      case 8: return `(${this.b(s, d1)} AND ${this.b(s, d1)})`
      case 9: return `(${this.b(s, d1)} OR ${this.b(s, d1)})`
      case 10: return `(NOT ${this.b(s, d1)})`
      case 11: { const ty = this.of(TYPES); return `(${this.e(ty, s, d1)} IS ${this.p(0.5) ? 'NOT ' : ''}DISTINCT FROM ${this.e(ty, s, d1)})` }
      case 12: return this.budget > 0 ? this.sub(s, d1) : `(${this.b(s, d1)} IS ${this.of(['TRUE', 'FALSE', 'NOT TRUE', 'UNKNOWN', 'NOT FALSE'])})`
      default: { const ty = this.of<Ty>(['date', 'timestamp']); return `(${this.e(ty, s, d1)} ${this.of(['<', '>', '='])} ${this.e(ty === 'date' ? 'timestamp' : 'date', s, d1)})` }
    }
  }
  /** A predicate with a subquery. */
  sub(s: Scoped[], d: number): string {
    this.budget--
    const { from, cols } = this.from(1 + (this.p(0.2) ? 1 : 0))
    const both = this.p(0.6) ? [...cols, ...s] : cols
    const corr = this.p(0.5) ? this.correlated(cols, s) : undefined
    const where = [corr, this.p(0.5) ? this.b(both, 1) : undefined].filter(x => x !== undefined).join(' AND ')
    const w = where === '' ? '' : ` WHERE ${where}`
    switch (this.n(4)) {
      case 0: return `${this.p(0.4) ? 'NOT ' : ''}EXISTS (SELECT 1 FROM ${from}${w})`
      case 1: { const c = this.of(cols); return `(${this.e(c.ty, s, d)} ${this.p(0.4) ? 'NOT ' : ''}IN (SELECT ${c.sql} FROM ${from}${w}))` }
      case 2: { const c = this.of(cols.filter(c => c.ty !== 'bool').concat({ sql: '1', ty: 'int4' })); return `(${this.e(c.ty, s, d)} ${this.of(['=', '<', '>'])} (SELECT ${this.of(['min', 'max'])}(${c.sql}) FROM ${from}${w}))` }
      default: return `((SELECT count(*) FROM ${from}${w}) ${this.of(['>', '=', '<'])} ${this.n(4)})`
    }
  }
  correlated(cols: Scoped[], s: Scoped[]): string | undefined {
    const pairs = cols.flatMap(a => s.filter(b => b.ty === a.ty).map(b => `${a.sql} = ${b.sql}`))
    return pairs.length > 0 ? this.of(pairs) : undefined
  }
  table(): { from: string; cols: Scoped[] } {
    const a = `a${this.alias++}`
    if (this.budget > 0 && this.p(0.15)) {
      this.budget--
      const { sql, types } = this.select(1, false)
      return { from: `(${sql}) AS ${a}(${types.map((_, i) => `x${i}`).join(', ')})`, cols: types.map((ty, i) => ({ sql: `${a}.x${i}`, ty })) }
    }
    const t = this.of(this.tabs)
    return { from: `${t.name} ${a}`, cols: t.cols.map(c => ({ sql: `${a}.${c.name}`, ty: c.ty })) }
  }
  from(k: number): { from: string; cols: Scoped[] } {
    let { from, cols } = this.table()
    for (let i = 1; i < k; i++) {
      const right = this.table()
      const kind = this.of(['JOIN', 'JOIN', 'LEFT JOIN', 'LEFT JOIN', 'RIGHT JOIN', 'FULL JOIN', 'CROSS JOIN'])
      if (kind === 'CROSS JOIN') { from = `${from} CROSS JOIN ${right.from}`; cols = [...cols, ...right.cols]; continue }
      const eq = this.correlated(right.cols, cols)
      const eq2 = this.p(0.2) ? this.correlated(right.cols, cols) : undefined
      const more = this.p(0.4) && kind !== 'FULL JOIN' ? this.b([...cols, ...right.cols], 1) : undefined
      const on = [eq, eq2, more].filter(x => x !== undefined)
      if (kind === 'FULL JOIN' && on.length === 0) on.push('true')
      from = `${from} ${kind} ${right.from} ON ${on.length === 0 ? (kind === 'FULL JOIN' ? 'true' : this.b([...cols, ...right.cols], 1)) : on.join(' AND ')}`
      cols = [...cols, ...right.cols]
    }
    return { from, cols }
  }
  agg(s: Scoped[]): [string, Ty | 'other'] {
    const filter = this.p(0.25) ? ` FILTER (WHERE ${this.b(s, 1)})` : '', di = this.p(0.25) ? 'DISTINCT ' : ''
    switch (this.n(7)) {
      case 0: return [`count(*)${filter}`, 'int8']
      case 1: return [`count(${di}${this.any(s, 1)[0]})${filter}`, 'int8']
      case 2: { const ty = this.of<Ty>(['int2', 'int4', 'int8', 'float8', 'numeric']); return [`sum(${di}${this.e(ty, s, 1)})${filter}`, ty === 'float8' ? 'float8' : ty === 'int8' || ty === 'numeric' ? 'numeric' : 'int8'] }
      case 3: { const ty = this.of<Ty>(['int2', 'int4', 'int8', 'float8', 'numeric']); return [`avg(${di}${this.e(ty, s, 1)})${filter}`, ty === 'float8' ? 'float8' : 'numeric'] }
      case 4: return [`${this.of(['bool_and', 'bool_or'])}(${this.e('bool', s, 1)})${filter}`, 'bool']
      default: { const ty = this.of<Ty>(TYPES.filter(t => t !== 'bool')); return [`${this.of(['min', 'max'])}(${this.p(0.2) ? 'DISTINCT ' : ''}${this.e(ty, s, 1)})${filter}`, ty] }
    }
  }
  select(depth: number, top: boolean): { sql: string; types: Ty[] } {
    const { from, cols } = this.from(depth > 1 ? 1 + this.n(3) : 1 + this.n(2))
    const where = this.p(0.5) ? ` WHERE ${this.b(cols, depth)}` : ''
    if (this.p(0.4)) {
      const keys: [string, Ty][] = Array.from({ length: this.n(3) }, () => this.p(0.7) ? (c => [c.sql, c.ty] as [string, Ty])(this.of(cols)) : this.any(cols, 1)).filter(([k]) => /a\d+\./.test(k)) as [string, Ty][]
      const aggs = Array.from({ length: 1 + this.n(3) }, () => this.agg(cols)).filter((a): a is [string, Ty] => a[1] !== 'other')
      const groupCols: Scoped[] = [...keys.map(([sql, ty]) => ({ sql, ty })).filter(c => /^a\d+\.\w+$/.test(c.sql)), ...aggs.map(([sql, ty]) => ({ sql, ty }))]
      const having = this.p(0.25) ? ` HAVING ${this.b(groupCols, 1)}` : ''
      const group = keys.length > 0 ? ` GROUP BY ${keys.map((_, i) => i + 1).join(', ')}` : ''
      return { sql: `SELECT ${[...keys, ...aggs].map(([x]) => x).join(', ')} FROM ${from}${where}${group}${having}`, types: [...keys, ...aggs].map(([, t]) => t) }
    }
    const list: [string, Ty][] = Array.from({ length: 1 + this.n(4) }, () => this.p(0.4) ? (c => [c.sql, c.ty] as [string, Ty])(this.of(cols)) : this.any(cols, depth))
    if (top && this.budget > 0 && this.p(0.15)) {
      this.budget--
      const inner = this.from(1), corr = this.correlated(inner.cols, cols), a = this.agg(inner.cols)
      if (a[1] !== 'other') list.push([`(SELECT ${a[0]} FROM ${inner.from}${corr === undefined ? '' : ` WHERE ${corr}`})`, a[1]])
    }
    return { sql: `SELECT ${this.p(0.15) ? 'DISTINCT ' : ''}${list.map(([x]) => x).join(', ')} FROM ${from}${where}`, types: list.map(([, t]) => t) }
  }
  /** A query; `ordered` when its order is total. */
  query(): { sql: string; ordered: boolean } {
    this.alias = 0; this.budget = 2
    const { types, sql: first } = this.select(2, true)
    let sql = first
    if (this.p(0.12)) {
      const { from, cols } = this.from(1)
      sql = `(${sql}) ${this.of(['UNION', 'UNION ALL', 'INTERSECT', 'EXCEPT', 'INTERSECT ALL', 'EXCEPT ALL'])} (SELECT ${types.map(t => this.e(t, cols, 1)).join(', ')} FROM ${from})`
    }
    let ordered = false
    if (this.p(0.3)) {
      ordered = true
      sql += ` ORDER BY ${types.map((_, i) => `${i + 1}${this.of(['', ' DESC', ' NULLS FIRST', ' DESC NULLS LAST', ''])}`).join(', ')}`
      if (this.p(0.5)) sql += ` LIMIT ${this.n(8)}${this.p(0.4) ? ` OFFSET ${this.n(4)}` : ''}`
    }
    return { sql, ordered }
  }
}
