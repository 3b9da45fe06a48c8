/** Functions, operators and casts through parser, binder and compiler, against what PostgreSQL answered (expression-answers.ts asks). */
import { expect, test } from 'vitest'
import { SqlError } from '../error.ts'
import { evaluateConstant } from '../exec/compile.ts'
import { Memory } from '../memory.ts'
import { bindExpression } from '../planner/bind.ts'
import type { Environment } from '../planner/scope.ts'
import { parseExpression } from '../planner/statement.ts'
import { DEFAULT_SETTINGS, formatValue } from '../text.ts'
import { expressionAnswers } from './expression-answers.ts'
import type { ExpressionAnswer } from './expression-answers.ts'

const context = { memory: Memory.create(), parameters: { values: [], now: 1_700_000_000_000_000n, timeZone: 'America/New_York' } }
const environment: Environment = { lookup: () => undefined, searchPath: ['public'], parameterTypes: [], fold: expr => evaluateConstant(expr, context.parameters, context) }
const settings = { ...DEFAULT_SETTINGS, timeZone: context.parameters.timeZone, now: context.parameters.now }

async function answer(sql: string): Promise<ExpressionAnswer[1]> {
  try {
    const expr = bindExpression(await parseExpression(sql), environment, { clause: 'SELECT' })
    const value = expr.kind === 'literal' ? expr.value : evaluateConstant(expr, context.parameters, context)
    return value === null ? null : formatValue(value, expr.type, settings)
  } catch (error) {
    if (!(error instanceof SqlError)) throw error
    return { code: error.code, message: error.message }
  }
}

/** Answers by the function or operator that the expression begins with, so that a failure says what it is about. */
const groups = new Map<string, ExpressionAnswer[]>()
for (const each of expressionAnswers()) {
  const topic = /^[a-z_]+(?=\()/.exec(each[0])?.[0] ?? 'operators and casts'
  groups.set(topic, [...groups.get(topic) ?? [], each])
}

for (const [topic, cases] of groups) {
  test(`${topic} answers as PostgreSQL does (${cases.length})`, async () => {
    const wrong: unknown[] = []
    for (const [sql, expected] of cases) {
      const ours = await answer(sql)
      if (JSON.stringify(ours) !== JSON.stringify(expected)) wrong.push({ sql, ours, expected })
    }
    expect(wrong).toEqual([])
  })
}
