import { parse, print } from './decimal.ts'
import { power } from './decimal-series.ts'
for (const a of ['0','0.00','1','-1.5','2.5','12345678901234567890123456789012345678.9','0.000000000000000000000000000001','99999.99995','10000','9999.5','3','7.25','9223372036854775807','0.9','1.0500'])
 for (const b of ['0.00','1','-1.5','2.5','12345678901234567890123456789012345678.9','0.000000000000000000000000000001','99999.99995','10000','9999.5','3','7.25','9223372036854775807','0.9','1.0500']) {
 const t = performance.now(); let r; try { r = print(power(parse(a)!, parse(b)!)) } catch (e: any) { r = e.message }
 const d = performance.now() - t; if (d > 200) console.log(a, b, d, r.length)
}
