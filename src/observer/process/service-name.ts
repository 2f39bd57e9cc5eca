/**
 * What to call the service that a process is, when no telemetry of its own says so. The first rule that gives a name
 * wins:
 *
 *  1. `OTEL_SERVICE_NAME` in the environment the process was started with
 *  2. `service.name` in its `OTEL_RESOURCE_ATTRIBUTES`
 *  3. the program that an interpreter runs:
 *     - java: `-jar /srv/orders-1.4.jar` is `orders-1.4`; `-m module/com.acme.Main` and a main class
 *       `com.acme.OrdersMain` are the class's simple name
 *     - node, bun, deno, python, ruby, php, perl: the script's name without its extension; `python -m uvicorn` is
 *       `uvicorn`. A name that says nothing (`index`, `main`, `server`, …) gives way to the folder of the program:
 *       `/srv/checkout/dist/server.js` is `checkout`
 *     - a command line that the program has rewritten (`puma 6.4 (tcp://…) [shop]`): its first word
 *  4. the systemd service that started it: `nginx.service` is `nginx`
 *  5. the name of its executable, else its command name
 */
import { basename, dirname, posix } from 'node:path';

export interface ServiceNameInput {
  /** Rules 1 and 2, see `parseOtelEnvironment`. */
  readonly declared: string | undefined;
  readonly commandLine: readonly string[];
  /** Path of the executable, '' when unknown. */
  readonly executable: string;
  readonly comm: string;
  /** Working directory, for relative scripts; '' when unknown. */
  readonly workingDirectory: string;
  readonly systemdUnit: string | undefined;
}

export function serviceNameOf(input: ServiceNameInput): string {
  return (
    input.declared ||
    interpretedName(input) ||
    input.systemdUnit ||
    basename(input.executable) ||
    input.comm ||
    'unknown'
  );
}

interface Interpreter {
  readonly executable: RegExp;
  /** Options whose value is the next argument. */
  readonly valued: ReadonlySet<string>;
  /** Options after which there is no script: code on the command line. */
  readonly inline: ReadonlySet<string>;
  /** Option whose value is the name of a module to run. */
  readonly module?: string;
}

const set = (words: string): ReadonlySet<string> => new Set(words.split(' '));

const INTERPRETERS: readonly Interpreter[] = [
  {
    executable: /^(node|nodejs|bun|deno)$/,
    valued: set(
      '-r --require --import --loader --experimental-loader -C --conditions --env-file --title --inspect-port ' +
        '--stack-trace-limit --max-old-space-size --icu-data-dir --openssl-config --redirect-warnings -c --config',
    ),
    inline: set('-e --eval -p --print -pe -i --interactive'),
  },
  {
    executable: /^(python|pypy)[\d.]*$/,
    valued: set('-W -X --check-hash-based-pycs'),
    inline: set('-c -'),
    module: '-m',
  },
  { executable: /^(ruby|jruby)[\d.]*$/, valued: set('-I -r -C -E -F'), inline: set('-e -') },
  { executable: /^php(-cli)?[\d.]*$/, valued: set('-c -d -z -S -t'), inline: set('-r -B -R -E -a') },
  { executable: /^perl[\d.]*$/, valued: set('-I'), inline: set('-e -E -ne -pe -') },
];

const JAVA_VALUED = set(
  '-cp -classpath --class-path -p --module-path --upgrade-module-path --add-modules --add-reads --add-exports ' +
    '--add-opens --limit-modules --patch-module --enable-native-access --describe-module -d',
);

/** Words that `bun` and `deno` take before the script. */
const SUBCOMMANDS = set('run serve task');

/** Names of scripts and folders that every program has. */
const GENERIC = set(
  'index main server app start www run cli bin bundle boot bootstrap entrypoint worker src dist build lib out ' +
    'target public current release releases code api manage artisan wsgi asgi __main__ usr opt srv home root tmp ' +
    'var local workspace project',
);

function interpretedName(input: ServiceNameInput): string | undefined {
  const executable = basename(input.executable);
  const program = executable || basename(input.commandLine[0] ?? '');
  if (/^java[\d.]*$/.test(program)) return javaName(input.commandLine);
  const interpreter = INTERPRETERS.find((i) => i.executable.test(program));
  if (!interpreter) return undefined;
  return rewrittenTitle(input.commandLine, interpreter) ?? scriptName(input, interpreter);
}

function javaName(commandLine: readonly string[]): string | undefined {
  for (let i = 1; i < commandLine.length; i++) {
    const argument = commandLine[i] ?? '';
    if (argument === '-jar') return withoutExtension(commandLine[i + 1] ?? '') || undefined;
    if (argument === '-m' || argument === '--module') return simpleClassName(commandLine[i + 1] ?? '');
    if (argument.startsWith('--module=')) return simpleClassName(argument.slice('--module='.length));
    if (JAVA_VALUED.has(argument)) i++;
    else if (!argument.startsWith('-') && !argument.startsWith('@')) return simpleClassName(argument);
  }
  return undefined;
}

/** `com.acme.Main`, `module/com.acme.Main` or a single-file program `Main.java`. */
function simpleClassName(name: string): string | undefined {
  const withoutModule = name.slice(name.lastIndexOf('/') + 1).replace(/\.java$/, '');
  return withoutModule.slice(withoutModule.lastIndexOf('.') + 1) || undefined;
}

/** A program that writes its state over its arguments leaves one string that does not begin with the interpreter. */
function rewrittenTitle(commandLine: readonly string[], interpreter: Interpreter): string | undefined {
  const first = commandLine[0] ?? '';
  if (commandLine.filter((argument) => argument !== '').length !== 1) return undefined;
  const word = first.split(/[\s:]/, 1)[0] ?? '';
  if (word === '' || interpreter.executable.test(basename(word))) return undefined;
  return basename(word);
}

function scriptName(input: ServiceNameInput, interpreter: Interpreter): string | undefined {
  const { commandLine } = input;
  for (let i = 1; i < commandLine.length; i++) {
    const argument = commandLine[i] ?? '';
    if (interpreter.module === argument) {
      const module = commandLine[i + 1] ?? '';
      return module.replace(/\.__main__$/, '') || undefined;
    }
    if (interpreter.inline.has(argument)) return undefined;
    if (interpreter.valued.has(argument)) i++;
    else if (i === 1 && SUBCOMMANDS.has(argument) && commandLine.length > 2) continue;
    else if (argument !== '' && !argument.startsWith('-'))
      return programName(argument, input.workingDirectory);
  }
  return undefined;
}

function programName(script: string, workingDirectory: string): string | undefined {
  const path = posix.resolve(workingDirectory || '/', script.replace(/^file:\/\//, ''));
  const name = withoutExtension(path);
  if (!GENERIC.has(name)) return name || undefined;
  for (let folder = dirname(path); folder !== '/'; folder = dirname(folder)) {
    const candidate = basename(folder);
    if (!GENERIC.has(candidate) && !/^[\d.]+$/.test(candidate)) return candidate;
  }
  return name;
}

function withoutExtension(path: string): string {
  const name = basename(path);
  const dot = name.lastIndexOf('.');
  // `orders-1.4` has a dot, but no extension.
  return dot > 0 && /^\.[A-Za-z]\w{0,4}$/.test(name.slice(dot)) ? name.slice(0, dot) : name;
}
