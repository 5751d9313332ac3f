package dev.jformer.data.algorithm;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;

/** Describes a problem's symbols as a {@code tokenizer.json}, whose tokens are the symbols. */
public final class ProblemTokenizer {
  private ProblemTokenizer() {}

  /** The content of the file. */
  public static String json(Problem problem) {
    boolean spaced = !problem.separator().isEmpty();
    JsonNodeFactory nodes = JsonNodeFactory.instance;
    ObjectNode vocabulary = nodes.objectNode();
    List<String> symbols = problem.symbols();
    for (int id = 0; id < symbols.size(); id++) {
      vocabulary.put(symbols.get(id), id);
    }
    ObjectNode root = nodes.objectNode().put("version", "1.0");
    root.set("pre_tokenizer", split(spaced ? " " : "[\\s\\S]", spaced ? "Removed" : "Isolated"));
    ObjectNode model = root.putObject("model").put("type", "WordLevel");
    model.set("vocab", vocabulary);
    model.put("unk_token", "<unk>"); // no symbol: other text is refused
    if (!spaced) {
      root.putObject("decoder").put("type", "Fuse");
    }
    return root.toString();
  }

  private static ObjectNode split(String pattern, String behaviour) {
    ObjectNode split = JsonNodeFactory.instance.objectNode().put("type", "Split");
    split.putObject("pattern").put("Regex", pattern);
    return split.put("behavior", behaviour).put("invert", false);
  }
}
