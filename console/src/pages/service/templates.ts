/** Documents to begin with: what must be changed is marked, in the words of the language. */
import type { Messages } from '../../i18n/en/index.ts';

export type Template = 'myagent' | 'websocket' | 'external';

export function templatesOf(hints: Messages['service']['hints']): Readonly<Record<Template, string>> {
  return {
    myagent: `kind: Service
name: my-agent             # <-- ${hints.name}
spec:
  launch:
    # ${hints.command}
    command:
      - python             # <-- ${hints.python}
      - -m
      - myagent.cli.server
      - server
      - /path/to/agent.py  # <-- ${hints.file}
      - --host
      - '{host}'
      - --port
      - '{port}'
    env:
      # ${hints.env}
      OPENAI_API_KEY: { fromEnv: OPENAI_API_KEY }
  replicas: 2
  probe: { type: myagent, startTimeout: 120s }
`,
    websocket: `kind: Service
name: my-server            # <-- ${hints.name}
spec:
  launch:
    # <-- ${hints.start}
    command: [python, server.py, --host, '{host}', --port, '{port}']
    cwd: /path/to/project  # <-- ${hints.folder}
  replicas: 2
  probe: { type: websocket }
`,
    external: `kind: Service
name: my-remote            # <-- ${hints.name}
spec:
  runtime: external
  # <-- ${hints.listens}
  addresses:
    - { host: 127.0.0.1, port: 8080 }
  probe: { type: websocket }
`,
  };
}
