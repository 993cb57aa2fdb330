import { readdirSync } from 'node:fs';
import jsxA11y from 'eslint-plugin-jsx-a11y';
import reactHooks from 'eslint-plugin-react-hooks';
import tseslint from 'typescript-eslint';

// The direction of imports: app -> features -> shared, never backwards and never from one feature to another.
const features = readdirSync(new URL('./src/features/', import.meta.url));
const forbid = (patterns) => ({ 'no-restricted-imports': ['error', { patterns }] });
const parents = { group: ['../*'], message: 'Import by @/ so that the direction can be seen.' };
const barrels = { group: ['**/index'], message: 'Import the file that has it; there are no barrels.' };
const fromApp = { group: ['@/app/*'], message: 'Only app/ may know app/.' };

// Words live in the catalog.
const literals = {
  'no-restricted-syntax': [
    'error',
    { selector: 'JSXText[value=/\\p{L}/u]', message: 'Words belong into shared/i18n/en.json.' },
    {
      selector:
        'JSXAttribute[name.name=/^(aria-label|aria-description|alt|title|label|placeholder|help)$/] > Literal[value=/\\p{L}/u]',
      message: 'Words belong into shared/i18n/en.json.',
    },
  ],
};

export default tseslint.config(
  { ignores: ['dist', 'node_modules', 'src/shared/api/schema.d.ts', 'test-results', 'playwright-report'] },
  ...tseslint.configs.recommendedTypeChecked,
  {
    languageOptions: {
      parserOptions: {
        projectService: { allowDefaultProject: ['eslint.config.js', 'scripts/*.mjs', 'public/theme.js'] },
      },
    },
  },
  {
    rules: {
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-non-null-assertion': 'off',
    },
  },
  {
    files: ['src/**/*.{ts,tsx}'],
    plugins: { 'react-hooks': reactHooks, ...jsxA11y.flatConfigs.recommended.plugins },
    rules: {
      ...reactHooks.configs.recommended.rules,
      ...jsxA11y.flatConfigs.recommended.rules,
      ...literals,
      ...forbid([parents, barrels]),
    },
  },
  {
    files: ['src/shared/**'],
    rules: forbid([
      parents,
      barrels,
      fromApp,
      { group: ['@/features/*'], message: 'shared/ knows no feature.' },
    ]),
  },
  ...features.map((feature) => ({
    files: [`src/features/${feature}/**`],
    rules: forbid([
      parents,
      barrels,
      fromApp,
      {
        group: ['@/features/*', `!@/features/${feature}`],
        message: 'Features do not know each other: compose them in app/, share by shared/.',
      },
    ]),
  })),
  {
    files: ['src/**/*.test.{ts,tsx}', 'src/testing/**'],
    rules: { ...forbid([barrels]), 'no-restricted-syntax': 'off' },
  },
  { files: ['**/*.{js,mjs}'], ...tseslint.configs.disableTypeChecked },
);
