import { FormatError } from '../../src/index';

export type Fields = Readonly<Record<string, unknown>>;

/** Every field that `transformers` 4 wrote for a part of a model. */
export const everyField: Fields = {
  ...{ _name_or_path: '', add_cross_attention: false, architectures: null, bad_words_ids: null },
  ...{ begin_suppress_tokens: null, bos_token_id: null, chunk_size_feed_forward: 0 },
  ...{ cross_attention_hidden_size: null, decoder_start_token_id: null, diversity_penalty: 0.0 },
  ...{ do_sample: false, early_stopping: false, encoder_no_repeat_ngram_size: 0 },
  ...{ exponential_decay_length_penalty: null, finetuning_task: null, forced_bos_token_id: null },
  ...{ forced_eos_token_id: null, id2label: { '0': 'LABEL_0', '1': 'LABEL_1' }, is_decoder: false },
  ...{ is_encoder_decoder: false, label2id: { LABEL_0: 0, LABEL_1: 1 }, length_penalty: 1.0 },
  ...{ max_length: 20, min_length: 0, no_repeat_ngram_size: 0, num_beam_groups: 1, num_beams: 1 },
  ...{ num_return_sequences: 1, output_attentions: false, output_hidden_states: false },
  ...{ output_scores: false, pad_token_id: null, prefix: null, problem_type: null, pruned_heads: {} },
  ...{ remove_invalid_values: false, repetition_penalty: 1.0, return_dict: true },
  ...{ return_dict_in_generate: false, sep_token_id: null, suppress_tokens: null },
  ...{ task_specific_params: null, temperature: 1.0, tf_legacy_loss: false, tie_encoder_decoder: false },
  ...{ tie_word_embeddings: true, tokenizer_class: null, top_k: 50, top_p: 1.0, torch_dtype: null },
  ...{ torchscript: false, transformers_version: '4.31.0', typical_p: 1.0, use_bfloat16: false },
};

/** A copy with another value at a path. */
export function changed(json: Fields, path: string, value: unknown): Fields {
  const [first = '', ...rest] = path.split('.');
  const inner = json[first];
  const next = typeof inner === 'object' && inner !== null ? { ...inner } : {};
  return { ...json, [first]: rest.length === 0 ? value : changed(next, rest.join('.'), value) };
}

/** A published configuration, and what must be refused of it. */
export interface Published {
  readonly read: (json: unknown) => unknown;
  readonly json: Fields;
  /** The words for the model in errors. */
  readonly what: string;
  /** Where its fields stand: nothing, or paths that end in a dot. */
  readonly places: readonly string[];
  /** Values that make the model another function. */
  readonly refused: readonly (readonly [path: string, value: unknown])[];
}

/** The laws of every configuration: what it says is used or refused by its name. */
export function describeConfiguration(title: string, { read, json, what, places, refused }: Published): void {
  describe(`the configuration ${title}`, () => {
    it.each(places)(
      'is refused with a field under “%s” that is not known, unless it says nothing',
      (place) => {
        const withField = (value: unknown) => () => read(changed(json, `${place}rotary_base`, value));
        expect(withField(10_000)).toThrow(FormatError);
        expect(withField(10_000)).toThrow(`config.json: not the configuration of ${what}`);
        expect(withField(10_000)).toThrow(
          `at ${place}rotary_base: expected a field that Winnow knows: this one may change what the model computes`,
        );
        expect(withField(null)).not.toThrow();
      },
    );

    it.each(refused)('is refused where %s makes the model another function: %j', (path, value) => {
      expect(() => read(json)).not.toThrow();
      expect(() => read(changed(json, path, value))).toThrow(FormatError);
      expect(() => read(changed(json, path, value))).toThrow(`at ${path}: `);
    });
  });
}
