/** Files for browsers: the console, and the API's page. They hold no data, so they need no token. */
import { readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, extname, join, normalize, sep } from 'node:path';
import type { Context, Hono } from 'hono';
import { compress } from 'hono/compress';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.json': 'application/json',
  '.woff2': 'font/woff2',
};

/** Own files only: nothing is loaded from elsewhere, and no other page can frame this one. */
const CONSOLE_POLICY =
  "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self' ws: wss:; frame-ancestors 'none'; base-uri 'none'";

export const DOCUMENT = '/openapi.json';

const DOCS_PAGE = `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Switchboard API</title><link rel="stylesheet" href="/docs/swagger-ui.css"></head>
<body><div id="swagger"></div><script src="/docs/swagger-ui-bundle.js"></script><script src="/docs/start.js"></script></body></html>`;
const DOCS_START = `SwaggerUIBundle({ url: '${DOCUMENT}', dom_id: '#swagger', deepLinking: true, persistAuthorization: false });`;
const DOCS_FILES = ['swagger-ui.css', 'swagger-ui-bundle.js'];

/** Paths that are always there, beside the endpoints. */
export const PAGES = [DOCUMENT, '/', '/docs', '/docs/start.js', ...DOCS_FILES.map((name) => `/docs/${name}`)];

const NOT_BUILT = `<!doctype html><meta charset="utf-8"><title>Switchboard</title><p>The console is not built. Run <code>npm run setup</code>. The API's page is at <a href="/docs">/docs</a>.</p>`;

function fileIn(folder: string, path: string): Buffer<ArrayBuffer> | undefined {
  const file = normalize(join(folder, path));
  if (!file.startsWith(folder + sep)) return undefined;
  try {
    return statSync(file).isFile() ? readFileSync(file) : undefined;
  } catch {
    return undefined;
  }
}

export function serveFiles(app: Hono, consoleFolder: string | undefined): void {
  const docs = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
  app.get('/docs', (context) => context.html(DOCS_PAGE, 200, { 'content-security-policy': CONSOLE_POLICY }));
  app.get('/docs/start.js', (context) => context.body(DOCS_START, 200, { 'content-type': TYPES['.js'] ?? '' }));
  for (const name of DOCS_FILES) {
    app.get(`/docs/${name}`, (context) =>
      context.body(fileIn(docs, name) ?? '', 200, { 'content-type': TYPES[extname(name)] ?? '' }),
    );
  }
  const consolePage = (context: Context): Response | Promise<Response> => {
    const page = consoleFolder === undefined ? undefined : fileIn(consoleFolder, 'index.html');
    return context.html(page?.toString('utf8') ?? NOT_BUILT, 200, {
      'content-security-policy': CONSOLE_POLICY,
      'cache-control': 'no-cache',
    });
  };
  app.get('/', consolePage);
  app.use('/assets/*', compress());
  app.get('/assets/*', (context) => {
    const file = consoleFolder === undefined ? undefined : fileIn(consoleFolder, decodeURIComponent(context.req.path));
    if (file === undefined) return context.notFound();
    // Their names hold a hash of their content.
    return context.body(file, 200, {
      'content-type': TYPES[extname(context.req.path)] ?? 'application/octet-stream',
      'cache-control': 'public, max-age=31536000, immutable',
    });
  });
  // The console's own addresses, such as /services/weather: a browser that opens or reloads one gets the page, a program its 404.
  app.get('*', async (context, next) => {
    const wantsPage = (context.req.header('accept') ?? '').includes('text/html');
    if (!wantsPage || /^\/(v1|docs|assets)\//.test(context.req.path)) return next();
    return consolePage(context);
  });
}
