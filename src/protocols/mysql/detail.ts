import { SqlDetail } from '../sql/describe.js';
import type { ResponseShape } from './response.js';

/** What is known of an exchange with MySQL or MariaDB. */
export class MySqlDetail extends SqlDetail {
  /** `mysql` or `mariadb`, by the server's greeting. */
  readonly system: string;
  shape: ResponseShape = 'results';
  /** Database of the connection before this command. */
  databaseBefore: string | undefined;

  constructor(
    system: string,
    kind: SqlDetail['kind'],
    text: string | undefined,
    cut: boolean,
    parameterised: boolean,
    namespace: string | undefined,
  ) {
    super(kind, text, cut, parameterised, namespace);
    this.system = system;
  }
}
