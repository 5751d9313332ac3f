package dev.jformer.hub;

import dev.jformer.nn.Activation;
import java.util.Map;

/**
 * DistilBERT (<a href="https://arxiv.org/abs/1910.01108">DistilBERT, a distilled version of BERT:
 * smaller, faster, cheaper and lighter</a>) in Hugging Face's format: BERT without types of tokens,
 * and with ReLU before the classifier of texts.
 */
final class DistilBert extends PostNormEncoder {
  private static final Map<String, String> FIELDS =
      Map.of(
          "hidden_act", "activation",
          "num_hidden_layers", "n_layers",
          "hidden_size", "dim",
          "num_attention_heads", "n_heads",
          "intermediate_size", "hidden_dim",
          "hidden_dropout_prob", "dropout");

  DistilBert() {
    super(EncoderNames.DISTILBERT);
  }

  @Override
  public String modelType() {
    return "distilbert";
  }

  @Override
  String field(String bert) {
    return FIELDS.getOrDefault(bert, bert);
  }

  @Override
  public String title() {
    return "DistilBERT";
  }

  @Override
  String className() {
    return "DistilBert";
  }

  @Override
  int usualPadding() {
    return 0;
  }

  @Override
  int tokenTypes(Fields fields) {
    return 0;
  }

  @Override
  Activation classifierActivation() {
    return Activation.RELU;
  }
}
