import { describe, expect, it } from 'vitest';
import { serviceNameOf } from '../../../../src/observer/process/service-name.js';

const nameOf = (
  executable: string,
  commandLine: string[],
  more: { declared?: string; workingDirectory?: string; systemdUnit?: string } = {},
) =>
  serviceNameOf({
    declared: more.declared,
    commandLine,
    executable,
    comm: 'comm',
    workingDirectory: more.workingDirectory ?? '',
    systemdUnit: more.systemdUnit,
  });

describe('serviceNameOf', () => {
  it('prefers what the process says of itself', () => {
    expect(
      nameOf('/usr/bin/node', ['node', '/srv/a.js'], { declared: 'checkout', systemdUnit: 'shop' }),
    ).toBe('checkout');
  });

  it.each([
    [['java', '-Xmx1g', '-jar', '/srv/orders-1.4.jar', '--port=1'], 'orders-1.4'],
    [['java', '-cp', 'lib/*', '-Dx=y', 'com.acme.OrdersMain', 'arg'], 'OrdersMain'],
    [['java', '--class-path=lib', '-m', 'com.acme/com.acme.Main'], 'Main'],
    [['java', '@options', 'Single.java'], 'Single'],
  ])('java %j', (commandLine, name) => {
    expect(nameOf('/usr/lib/jvm/bin/java', commandLine)).toBe(name);
  });

  it.each([
    ['/usr/bin/node', ['node', '--require', './otel.js', '/srv/shop/cart.js'], 'cart'],
    ['/usr/bin/node', ['node', '/srv/checkout/dist/server.js'], 'checkout'],
    ['/usr/bin/node', ['node', '--import=./x.mjs', 'index.mjs'], 'payments'],
    ['/usr/bin/node', ['node', '-e', 'console.log(1)'], 'node'],
    ['/usr/bin/node', ['node', '/app/server.js'], 'server'],
    ['/root/.bun/bin/bun', ['bun', 'run', 'worker-pool.ts'], 'worker-pool'],
    ['/usr/bin/python3.11', ['python3', '-m', 'uvicorn', 'app:app'], 'uvicorn'],
    ['/usr/bin/python3.11', ['python3', '-W', 'ignore', '/srv/billing/manage.py', 'runserver'], 'billing'],
    ['/usr/bin/python3.11', ['/usr/bin/python3', '/usr/local/bin/gunicorn', 'shop.wsgi'], 'gunicorn'],
    ['/usr/bin/python3.11', ['python3', '-c', 'pass'], 'python3.11'],
    ['/usr/bin/php8.2', ['php', 'artisan', 'serve'], 'payments'],
    ['/usr/bin/ruby3.1', ['puma 6.4 (tcp://0.0.0.0:3000) [shop]'], 'puma'],
    ['/usr/bin/node', ['my-service: worker'], 'my-service'],
    ['/usr/bin/node', ['node'], 'node'],
  ])('%s %j', (executable, commandLine, name) => {
    expect(nameOf(executable, commandLine, { workingDirectory: '/srv/payments' })).toBe(name);
  });

  it('takes the systemd unit, then the executable, then the command name', () => {
    expect(nameOf('/usr/sbin/nginx', ['nginx: worker'], { systemdUnit: 'nginx' })).toBe('nginx');
    expect(nameOf('/usr/sbin/haproxy', ['/usr/sbin/haproxy', '-f', 'x'])).toBe('haproxy');
    expect(nameOf('', [])).toBe('comm');
  });
});
