package dev.jformer.hub;

/**
 * BERT (<a href="https://arxiv.org/abs/1810.04805">BERT: Pre-training of Deep Bidirectional
 * Transformers for Language Understanding</a>) in Hugging Face's format. The head for next-sentence
 * prediction is left out.
 */
final class Bert extends PostNormEncoder {
  /** The token that masks a token to predict. */
  static final String MASK = "[MASK]";

  Bert() {
    super(EncoderNames.BERT);
  }

  @Override
  public String modelType() {
    return "bert";
  }

  @Override
  public String title() {
    return "BERT";
  }

  @Override
  String className() {
    return "Bert";
  }

  @Override
  int usualPadding() {
    return 0;
  }

  @Override
  int tokenTypes(Fields fields) {
    return fields.size("type_vocab_size", 2);
  }
}
