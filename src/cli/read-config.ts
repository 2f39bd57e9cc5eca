import { ConfigError } from '../component/errors.js';
import { COMPONENTS } from '../components.js';
import { checkConfig } from '../config/check.js';
import { type ConfigSources, loadConfig } from '../config/load.js';
import type { ConfigNode } from '../config/node.js';
import { formatProblems } from '../config/problem.js';
import type { ProviderTools } from '../config/providers.js';
import type { CheckedConfig } from '../config/settings.js';
import { checkGraph } from '../pipeline/check-graph.js';

export interface ReadConfigOptions {
  /** With the words that `run` puts before validation problems and `validate` does not. */
  readonly prefixed: boolean;
  /** Changes the tree before it is checked. */
  readonly edit?: (root: ConfigNode) => ConfigNode;
}

/** Reads and checks everything that can be known before components exist. Throws one `ConfigError` with all problems. */
export async function readConfig(
  sources: ConfigSources,
  tools: ProviderTools,
  options: ReadConfigOptions,
): Promise<{ readonly root: ConfigNode; readonly config: CheckedConfig }> {
  const loaded = await loadConfig(sources, tools);
  const root = options.edit?.(loaded) ?? loaded;
  const checked = checkConfig(root, COMPONENTS, sources.gates);
  const problems = checked.ok ? checkGraph(checked.config) : checked.problems;
  if (!checked.ok || problems.length > 0) throw new ConfigError(formatProblems(problems, options));
  return { root, config: checked.config };
}
