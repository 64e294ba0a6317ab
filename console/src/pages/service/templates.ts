/** Documents to begin with: what must be changed is marked. */
export type Template = 'myagent' | 'websocket' | 'external';

export const TEMPLATES: Readonly<Record<Template, string>> = {
  myagent: `kind: Service
name: my-agent                  # <-- its name, also in the address of clients
spec:
  launch:
    # Exactly what you type in a shell, word for word; {host} and {port} are filled in for each instance.
    command:
      - python                  # <-- or the python of your virtual environment
      - -m
      - myagent.cli.server
      - server
      - /path/to/agent.py       # <-- your agent file
      - --host
      - '{host}'
      - --port
      - '{port}'
    env:
      # Read from the control plane's environment when an instance starts; never stored or shown.
      OPENAI_API_KEY: { fromEnv: OPENAI_API_KEY }
  replicas: 2
  probe: { type: myagent, startTimeout: 120s }
`,
  websocket: `kind: Service
name: my-server                 # <-- its name, also in the address of clients
spec:
  launch:
    command: [python, server.py, --host, '{host}', --port, '{port}']   # <-- how it is started
    cwd: /path/to/project       # <-- the folder it runs in
  replicas: 2
  probe: { type: websocket }
`,
  external: `kind: Service
name: my-remote                 # <-- its name, also in the address of clients
spec:
  runtime: external
  # Where it listens. Others may register themselves over the API beside these.
  addresses:
    - { host: 127.0.0.1, port: 8080 }   # <--
  probe: { type: websocket }
`,
};
