import { exitCodesText } from "./exit.ts";

/** What bare `skillboss` says. */
export const firstWords = `SkillBoss: one server in front of every AI service. One key, one prepaid balance.

The first five commands:
  skillboss serve --starter         start the server; it shows a live key and a test key
  export SKILLBOSS_API_KEY=sk-…     take one of them, in another terminal, then:
  skillboss chat "Hello"            ask a model; a test key costs nothing
  skillboss models                  what can be called, and at what price
  skillboss credits balance         what is left
  skillboss usage                   what was spent

From a checkout, skillboss is: node bin/skillboss.cjs
Everything else: skillboss --help
`;

export const programEnd = `
Environment:
  SKILLBOSS_URL             address of the server; http://127.0.0.1:8787 when absent
  SKILLBOSS_API_KEY         API key, for models, chat, usage and credits balance
  SKILLBOSS_OPERATOR_TOKEN  operator token, for the rest; else the file operator-token in SKILLBOSS_DATA_DIR

${exitCodesText}

Examples:
  skillboss serve --starter
  skillboss accounts create ada --plan starter
  skillboss credits grant ada 100
  skillboss keys create ada --mode test
  skillboss chat "Hello" --key sk-test-…
  skillboss accounts list --json`;
