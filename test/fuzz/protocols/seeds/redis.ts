import type { Seed } from '../seed.js';

export const seeds: readonly Seed[] = [
  {
    repeatFrom: 0,
    steps: [
      ['client', '*2\r\n$3\r\nGET\r\n$7\r\ncart:17\r\n'],
      ['server', '$11\r\nhello world\r\n'],
    ],
  },
  {
    repeatFrom: 2,
    steps: [
      ['client', '*2\r\n$5\r\nHELLO\r\n$1\r\n3\r\n'],
      ['server', '%2\r\n$6\r\nserver\r\n$5\r\nredis\r\n$5\r\nproto\r\n:3\r\n'],
      [
        'client',
        '*1\r\n$5\r\nMULTI\r\n*3\r\n$3\r\nSET\r\n$3\r\na:1\r\n$1\r\nx\r\n*2\r\n$4\r\nINCR\r\n$3\r\na:1\r\n*1\r\n$4\r\nEXEC\r\n',
      ],
      [
        'server',
        '+OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n+OK\r\n-ERR value is not an integer or out of range\r\n',
      ],
      ['client', '*2\r\n$3\r\nGET\r\n$1\r\nk\r\n'],
      ['server', '-MOVED 7629 127.0.0.1:7001\r\n'],
    ],
  },
  {
    steps: [
      ['client', '*3\r\n$9\r\nSUBSCRIBE\r\n$4\r\nnews\r\n$4\r\ntalk\r\n'],
      [
        'server',
        '*3\r\n$9\r\nsubscribe\r\n$4\r\nnews\r\n:1\r\n*3\r\n$9\r\nsubscribe\r\n$4\r\ntalk\r\n:2\r\n',
      ],
      ['server', '*3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$5\r\nhello\r\n'],
      ['client', '*1\r\n$11\r\nUNSUBSCRIBE\r\n'],
      [
        'server',
        '*3\r\n$11\r\nunsubscribe\r\n$4\r\nnews\r\n:1\r\n*3\r\n$11\r\nunsubscribe\r\n$4\r\ntalk\r\n:0\r\n',
      ],
    ],
  },
  {
    steps: [
      ['client', 'PING\r\n'],
      ['server', '+PONG\r\n'],
      ['client', 'GET cart:1\r\n'],
      ['server', '$-1\r\n'],
    ],
  },
];
