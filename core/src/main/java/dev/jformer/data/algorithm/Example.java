package dev.jformer.data.algorithm;

import java.util.List;
import java.util.Map;

/**
 * A prompt and its right answer.
 *
 * @param prompt symbols; not empty
 * @param answer symbols without {@link Problem#END}
 * @param traits what makes it easy or hard, by name, such as its length or number of carries;
 *     accuracy is reported for each
 */
public record Example(List<String> prompt, List<String> answer, Map<String, Integer> traits) {
  /** Copies the lists. */
  public Example {
    prompt = List.copyOf(prompt);
    answer = List.copyOf(answer);
    traits = Map.copyOf(traits);
  }

  /** Creates an example of texts whose characters are the symbols. */
  static Example ofCharacters(String prompt, String answer, Map<String, Integer> traits) {
    return new Example(Symbols.characters(prompt), Symbols.characters(answer), traits);
  }
}
