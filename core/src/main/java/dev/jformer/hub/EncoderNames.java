package dev.jformer.hub;

/**
 * The names of the weights of encoders with post-norm blocks in a family of Hugging Face.
 *
 * @param prefix of the encoder, left out by files without a head
 * @param layer prefix of a block before its number
 * @param query and others, within a block
 * @param mlmDense the head for masked language modelling, whose output layer is the embedding
 * @param pooler the layer before the classifier of texts
 * @param text the output layer of the classifier of texts
 */
record EncoderNames(
    String prefix,
    String layer,
    String query,
    String key,
    String value,
    String out,
    String mixerNorm,
    String up,
    String down,
    String ffnNorm,
    String mlmDense,
    String mlmNorm,
    String mlmBias,
    String pooler,
    String text) {
  /** The output layer of the classifier of tokens. */
  static final String TOKENS = "classifier";

  static final EncoderNames BERT =
      new EncoderNames(
          "bert.",
          "encoder.layer.",
          "attention.self.query",
          "attention.self.key",
          "attention.self.value",
          "attention.output.dense",
          "attention.output.LayerNorm",
          "intermediate.dense",
          "output.dense",
          "output.LayerNorm",
          "cls.predictions.transform.dense",
          "cls.predictions.transform.LayerNorm",
          "cls.predictions.bias",
          "bert.pooler.dense",
          "classifier");

  static final EncoderNames ROBERTA =
      new EncoderNames(
          "roberta.",
          BERT.layer,
          BERT.query,
          BERT.key,
          BERT.value,
          BERT.out,
          BERT.mixerNorm,
          BERT.up,
          BERT.down,
          BERT.ffnNorm,
          "lm_head.dense",
          "lm_head.layer_norm",
          "lm_head.bias",
          "classifier.dense",
          "classifier.out_proj");

  static final EncoderNames DISTILBERT =
      new EncoderNames(
          "distilbert.",
          "transformer.layer.",
          "attention.q_lin",
          "attention.k_lin",
          "attention.v_lin",
          "attention.out_lin",
          "sa_layer_norm",
          "ffn.lin1",
          "ffn.lin2",
          "output_layer_norm",
          "vocab_transform",
          "vocab_layer_norm",
          "vocab_projector.bias",
          "pre_classifier",
          "classifier");

  static final EncoderNames MPNET =
      new EncoderNames(
          "mpnet.",
          BERT.layer,
          "attention.attn.q",
          "attention.attn.k",
          "attention.attn.v",
          "attention.attn.o",
          "attention.LayerNorm",
          BERT.up,
          BERT.down,
          BERT.ffnNorm,
          ROBERTA.mlmDense,
          ROBERTA.mlmNorm,
          ROBERTA.mlmBias,
          ROBERTA.pooler,
          ROBERTA.text);
}
