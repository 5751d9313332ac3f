package dev.jformer.hub;

import com.fasterxml.jackson.databind.JsonNode;
import dev.jformer.data.tokenizer.Tokenizer;
import dev.jformer.data.tokenizer.Tokenizers;
import dev.jformer.model.Encoder;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** The kinds of heads on Hugging Face's encoders. */
enum EncoderHead {
  /** None, or one that is left out, such as that for answering questions. */
  NONE(""),
  /** Masked language modelling. */
  MASKED("ForMaskedLM"),
  /** A label for each text. */
  TEXT("ForSequenceClassification"),
  /** A label for each token. */
  TOKENS("ForTokenClassification");

  private static final List<String> MASKS = List.of("[MASK]", "<mask>");

  /** The end of the name of the classes of transformers that have this head. */
  private final String architecture;

  EncoderHead(String architecture) {
    this.architecture = architecture;
  }

  /** The name of the class of transformers in a family. */
  String architecture(String family) {
    return family + (this == NONE ? "Model" : architecture);
  }

  /** The head that a configuration names, if it names one of these. */
  static Optional<EncoderHead> named(JsonNode config) {
    String name = config.path("architectures").path(0).asText();
    return Stream.of(values())
        .filter(head -> head != NONE && name.endsWith(head.architecture))
        .findFirst();
  }

  /** The head of a model. */
  static EncoderHead of(Encoder.Config ours) {
    if (ours.labels() > 0) {
      return ours.classifier().labelsTokens() ? TOKENS : TEXT;
    }
    return ours.head().mlmHead() ? MASKED : NONE;
  }

  /** The pipeline of transformers that uses a model with this head. */
  String pipeline() {
    return switch (this) {
      case NONE -> "feature-extraction";
      case MASKED -> "fill-mask";
      case TEXT -> "text-classification";
      case TOKENS -> "token-classification";
    };
  }

  /**
   * The number of classes of a configuration whose classifier gives each input one of them.
   *
   * @return 0 if it is another kind of classifier: a regression, or several labels for an input
   */
  static int classes(JsonNode config) {
    String problem = config.path("problem_type").asText("single_label_classification");
    int labels = HeadLabels.of(config).size();
    boolean single = problem.isEmpty() || problem.equals("single_label_classification");
    return single && labels > 1 ? labels : 0;
  }

  /** The id of the mask token of the tokenizer in a folder; negative if there is none. */
  static int mask(Path folder, boolean needed) {
    if (!needed && !Tokenizers.exists(folder)) {
      return -1;
    }
    Tokenizer tokenizer = Tokenizers.load(folder);
    return MASKS.stream().mapToInt(m -> tokenizer.id(m).orElse(-1)).max().orElse(-1);
  }
}
