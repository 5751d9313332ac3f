package dev.jformer.hub;

import dev.jformer.io.gguf.GgufFile;
import dev.jformer.io.gguf.GgufMetadata;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/**
 * Finds the tokens that end a text in a GGUF file: those that its metadata names, and the special
 * tokens that end a turn in the usual chat formats, which not all files name.
 */
final class GgufStops {
  private static final String PREFIX = "tokenizer.ggml.";
  private static final List<String> KEYS = List.of("eos_token_id", "eot_token_id", "eom_token_id");
  private static final int SPECIAL = 3;

  /** Texts of tokens that end a turn. */
  static final Set<String> TURN_ENDS =
      Set.of("<|im_end|>", "<|eot_id|>", "<|eom_id|>", "<|end|>", "<end_of_turn>", "<|endoftext|>");

  private GgufStops() {}

  static Set<Integer> read(Path path) throws IOException {
    try (GgufFile file = GgufFile.open(path)) {
      return of(file.metadata());
    }
  }

  private static Set<Integer> of(GgufMetadata metadata) {
    Set<Integer> stops = new TreeSet<>();
    List<String> tokens = metadata.strings(PREFIX + "tokens");
    for (String key : KEYS) {
      int id = metadata.id(PREFIX + key);
      if (id >= 0 && id < tokens.size()) {
        stops.add(id);
      }
    }
    int[] kinds = metadata.integers(PREFIX + "token_type");
    for (int id = 0; id < Math.min(kinds.length, tokens.size()); id++) {
      if (kinds[id] == SPECIAL && TURN_ENDS.contains(tokens.get(id))) {
        stops.add(id);
      }
    }
    return stops;
  }
}
