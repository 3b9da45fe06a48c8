import tseslint from 'typescript-eslint'

/** Strings of data are ordered by their UTF-8 bytes; JavaScript's `<` orders by UTF-16 units and loses rows when it prunes. */
const noStringOrder = {
  meta: { type: 'problem', schema: [], messages: { order: 'Strings are compared as bytes, not with {{operator}} (see storage/prune.ts).' } },
  create(context) {
    const services = context.sourceCode.parserServices
    const checker = services.program.getTypeChecker()
    const isString = node => {
      const type = services.getTypeAtLocation(node)
      const parts = type.isUnion() ? type.types : [type]
      return parts.some(part => (part.flags & 0x4) !== 0 || part.isStringLiteral() || checker.typeToString(part) === 'string')
    }
    return {
      BinaryExpression(node) {
        if (['<', '<=', '>', '>='].includes(node.operator) && (isString(node.left) || isString(node.right))) context.report({ node, messageId: 'order', data: { operator: node.operator } })
      },
      CallExpression(node) {
        const callee = node.callee
        if (callee.type === 'MemberExpression' && callee.property.type === 'Identifier' && callee.property.name === 'localeCompare') context.report({ node, messageId: 'order', data: { operator: 'localeCompare' } })
      },
    }
  },
}

/** Doors: the one file that imports a third-party package or turns raw bytes into typed values, and may say `as`. */
const doors = ['src/arrow.ts', 'src/planner/parse.ts', 'src/exec/pool.ts', 'src/exec/worker.ts', 'src/kernel/kernel.ts', 'src/storage/parquet-write.ts']

export default tseslint.config(
  { ignores: ['node_modules/', 'dist/', '**/*.as.ts', 'src/webassembly.d.ts', 'bench/data/'] },
  {
    files: ['src/**/*.ts', 'sqllogictest/**/*.ts', 'bench/**/*.ts', 'test/**/*.ts', '*.ts'],
    languageOptions: { parser: tseslint.parser, parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    plugins: { '@typescript-eslint': tseslint.plugin, sluice: { rules: { 'no-string-order': noStringOrder } } },
    rules: {
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/ban-ts-comment': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_', ignoreRestSiblings: true }],
      'no-var': 'error',
      'prefer-const': 'error',
      eqeqeq: 'error',
    },
  },
  { files: ['src/**/*.ts'], ignores: ['**/*.test.ts', ...doors], rules: { '@typescript-eslint/consistent-type-assertions': ['error', { assertionStyle: 'never' }] } },
  { files: ['src/**/*.ts'], ignores: ['**/*.test.ts', 'src/main.ts', 'src/cli/**'], rules: { 'no-console': 'error' } },
  { files: ['src/{exec,storage,planner,function}/**/*.ts', 'src/*.ts'], ignores: ['**/*.test.ts'], rules: { 'sluice/no-string-order': 'error' } },
)
