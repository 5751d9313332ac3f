package dev.jformer.hub;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jformer.model.Encoder;
import java.util.List;

/**
 * RoBERTa (<a href="https://arxiv.org/abs/1907.11692">RoBERTa: A Robustly Optimized BERT
 * Pretraining Approach</a>) and XLM-R (<a href="https://arxiv.org/abs/1911.02116">Unsupervised
 * Cross-lingual Representation Learning at Scale</a>) in Hugging Face's format. Positions are
 * counted from the id of padding plus 1, so the first rows of their table are not used.
 */
final class Roberta extends PostNormEncoder {
  private final String modelType;

  Roberta(String modelType) {
    super(EncoderNames.ROBERTA);
    this.modelType = modelType;
  }

  @Override
  public String modelType() {
    return modelType;
  }

  @Override
  public String title() {
    return modelType.equals("roberta") ? "RoBERTa" : "XLM-R";
  }

  @Override
  String className() {
    return modelType.equals("roberta") ? "Roberta" : "XLMRoberta";
  }

  @Override
  int usualPadding() {
    return 1;
  }

  @Override
  int unusedPositions(int padding) {
    return padding + 1;
  }

  /** RoBERTa has one type of tokens; a model with two is a BERT. */
  @Override
  public ObjectNode write(Encoder.Config ours, List<String> labels) {
    int types = ours.embeddings().tokenTypes();
    new Mismatch.Check(title()).that(types == 1, "one type of tokens", types);
    return super.write(ours, labels);
  }

  @Override
  int tokenTypes(Fields fields) {
    return fields.size("type_vocab_size", 2);
  }
}
