/**
 * Feature gates: what `--feature-gates` switches on and off. Stages, rules and sentences are those of the Collector
 * (go.opentelemetry.io/collector/featuregate).
 */

/** Alpha is off and beta on unless the user says otherwise; stable is on and deprecated off whatever he says. */
export type GateStage = 'alpha' | 'beta' | 'stable' | 'deprecated';

export interface Gate {
  /** Letters, digits and dots. */
  readonly id: string;
  readonly stage: GateStage;
  readonly description: string;
  /** First version that has the gate. */
  readonly from: string;
  /** The version that takes it away again; known for stable and deprecated gates. */
  readonly to?: string;
  /** False for a gate of the Collector that stands for nothing here: it is accepted, with a warning when it is set. */
  readonly hasEffect: boolean;
}

const collectorGate = (id: string, stage: GateStage, from: string, description: string): Gate => ({
  id,
  stage,
  from,
  description: `${description} No effect here.`,
  hasEffect: false,
});

export const MERGE_APPEND = 'confmap.enableMergeAppendOption';
export const NO_PIPELINES = 'service.AllowNoPipelines';
export const PROFILES = 'service.profilesSupport';

/** THE list of gates. Versions of gates that the Collector has are the Collector's. */
export const GATES: readonly Gate[] = [
  {
    id: MERGE_APPEND,
    stage: 'alpha',
    from: 'v0.120.0',
    description:
      'Several --config: lists of extensions, receivers and exporters under service are joined, not replaced.',
    hasEffect: true,
  },
  collectorGate(
    'extension.healthcheck.useComponentStatus',
    'alpha',
    'v0.142.0',
    'Lets health_check use version 2 of its settings, which is always allowed.',
  ),
  collectorGate('exporter.file.nativeCompression', 'alpha', 'v0.128.0', 'Compression of whole files.'),
  collectorGate(
    'ottl.contexts.enableOTelColContext',
    'beta',
    'v0.140.0',
    'Lets OTTL read the context of the Collector.',
  ),
  collectorGate('pdata.useProtoPooling', 'alpha', 'v0.133.0', 'Memory pools for decoded telemetry.'),
  collectorGate(
    'pkg.exporterhelper.queueBatchEnabled',
    'alpha',
    'v0.158.0',
    'Batching in sending queues unless switched off.',
  ),
  collectorGate(
    'pkg.translator.zipkin.DontEmitV0NetworkConventions',
    'beta',
    'v0.147.0',
    'Leaves out old names of network attributes.',
  ),
  collectorGate(
    'pkg.translator.zipkin.EmitV1NetworkConventions',
    'beta',
    'v0.147.0',
    'Gives new names to network attributes.',
  ),
  collectorGate(
    'processor.filter.defaultErrorModeIgnore',
    'beta',
    'v0.152.0',
    'Errors in conditions of the filter processor are ignored unless error_mode says otherwise.',
  ),
  collectorGate('receiverhelper.newReceiverMetrics', 'alpha', 'v0.138.0', 'Other metrics of receivers.'),
  {
    id: NO_PIPELINES,
    stage: 'alpha',
    from: 'v0.122.0',
    description: 'A configuration need not have pipelines, for example one of extensions alone.',
    hasEffect: true,
  },
  collectorGate(
    'service.partialReload',
    'alpha',
    'v0.157.0',
    'A reload restarts only what changed, which is always so.',
  ),
  collectorGate(
    'service.partialReloadReceivers',
    'beta',
    'v0.157.0',
    'A reload that changes receivers restarts only these, which is always so.',
  ),
  {
    id: PROFILES,
    stage: 'alpha',
    from: 'v0.112.0',
    description: 'Allows pipelines of the signal profiles.',
    hasEffect: true,
  },
  collectorGate('telemetry.newPipelineTelemetry', 'alpha', 'v0.123.0', 'More metrics of pipelines.'),
];

/** Which gates are open. Made for one run of the program; the flag is the only thing that changes it. */
export class FeatureGates {
  readonly #gates: ReadonlyMap<string, Gate>;
  readonly #enabled: Set<string>;
  readonly #needless = new Set<string>();

  constructor(gates: readonly Gate[] = GATES) {
    this.#gates = new Map(gates.toSorted((a, b) => (a.id < b.id ? -1 : 1)).map((gate) => [gate.id, gate]));
    this.#enabled = new Set(
      gates.filter(({ stage }) => stage === 'beta' || stage === 'stable').map(({ id }) => id),
    );
  }

  /** By id. */
  get all(): readonly Gate[] {
    return [...this.#gates.values()];
  }

  /** Sentences about gates that the user has set and that change nothing. */
  get warnings(): readonly string[] {
    return [...this.#needless];
  }

  isEnabled(id: string): boolean {
    return this.#enabled.has(id);
  }

  /**
   * Applies one value of the flag: ids with commas between them, `-` before those to switch off. Returns what is wrong
   * with it, in one text; what is right in it counts all the same, as in the Collector.
   */
  apply(flag: string): string | undefined {
    if (flag === '') return undefined;
    const problems = flag.split(',').flatMap((item, index) => {
      if (item === '') return [`empty feature gate identifier at index ${index}`];
      const id = /^[-+]/.test(item) ? item.slice(1) : item;
      return this.#set(id, !item.startsWith('-')) ?? [];
    });
    return problems.length === 0 ? undefined : problems.join('; ');
  }

  #set(id: string, enable: boolean): string | undefined {
    const gate = this.#gates.get(id);
    if (gate === undefined) {
      return `no such feature gate ${JSON.stringify(id)}. valid gates: [${[...this.#gates.keys()].join(' ')}]`;
    }
    const fixed = gate.stage === 'stable' || gate.stage === 'deprecated';
    if (!fixed) {
      if (!gate.hasEffect && enable !== this.#enabled.has(id)) {
        this.#needless.add(`Feature gate ${JSON.stringify(id)} has no effect. ${gate.description}`);
      }
      if (enable) this.#enabled.add(id);
      else this.#enabled.delete(id);
      return undefined;
    }
    if (enable !== (gate.stage === 'stable')) {
      return `feature gate ${JSON.stringify(id)} is ${gate.stage}, can not be ${enable ? 'enabled' : 'disabled'}`;
    }
    this.#needless.add(
      `Feature gate ${JSON.stringify(id)} is ${gate.stage} and already ${enable ? 'enabled' : 'disabled'}. ` +
        `It will be removed in version ${gate.to ?? 'next'} and continued use of the gate after version ${gate.to ?? 'next'} will result in an error.`,
    );
    return undefined;
  }
}
