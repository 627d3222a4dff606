import { z } from 'zod';
import { only } from '../fields';

/** Fields of every configuration of `transformers` with which a model is another function than ours. */
export const commonlyRefused = {
  pruned_heads: z
    .record(z.string(), z.unknown())
    .refine((pruned) => Object.keys(pruned).length === 0, 'expected none: heads of single layers are gone')
    .nullish(),
  is_decoder: only(false, 'decoders are not supported'),
  is_encoder_decoder: only(false, 'decoders are not supported'),
  add_cross_attention: only(false, 'attention to another sequence is not supported'),
  problem_type: only(
    'single_label_classification',
    'classifiers of several labels at once, or of numbers, are not supported',
  ),
  quantization_config: only(null, 'quantised weights are not supported'),
};

/**
 * Fields that configurations of `transformers` 3 to 5 have beside those of their model, and that change nothing of what a
 * ViT or a CLIP computes: names, what calls return, dropout and initial values of a training, and the generation of text.
 */
export const commonlyImmaterial: readonly string[] = [
  ...['architectures', 'dtype', 'finetuning_task', 'id2label', 'label2id', 'model_type', 'name_or_path'],
  ...['num_labels', 'prefix', 'task_specific_params', 'tokenizer_class', 'torch_dtype'],
  ...['transformers.js_config', 'transformers_version'],

  ...['attn_implementation', 'chunk_size_feed_forward', 'gradient_checkpointing', 'output_attentions'],
  ...['output_hidden_states', 'output_scores', 'return_dict', 'return_dict_in_generate', 'tf_legacy_loss'],
  ...['tie_encoder_decoder', 'tie_last_hidden_states', 'tie_word_embeddings', 'torchscript', 'use_bfloat16'],
  ...['use_cache', 'xla_device'],

  ...['attention_dropout', 'attention_probs_dropout_prob', 'dropout', 'hidden_dropout_prob'],
  ...['initializer_factor', 'initializer_range', 'logit_scale_init_value'],

  ...[
    'bad_words_ids',
    'begin_suppress_tokens',
    'bos_token_id',
    'decoder_start_token_id',
    'diversity_penalty',
  ],
  ...['do_sample', 'early_stopping', 'encoder_no_repeat_ngram_size', 'eos_token_id'],
  ...['exponential_decay_length_penalty'],
  ...['forced_bos_token_id', 'forced_eos_token_id', 'length_penalty', 'max_length', 'min_length'],
  ...['no_repeat_ngram_size', 'num_beam_groups', 'num_beams', 'num_return_sequences', 'pad_token_id'],
  ...['remove_invalid_values', 'repetition_penalty', 'sep_token_id', 'suppress_tokens', 'temperature'],
  ...['top_k', 'top_p', 'typical_p'],
];
