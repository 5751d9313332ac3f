package dev.jformer.data.algorithm;

import dev.jformer.data.DataException;
import dev.jformer.data.text.EncodedSample;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The symbols of a problem as ids: a symbol's id is its place in {@link Problem#symbols}. */
public final class Alphabet {
  private static final String UNKNOWN = "\uFFFD";

  private final Problem problem;
  private final List<String> symbols;
  private final Map<String, Integer> ids = new HashMap<>();
  private final int end;

  /** Numbers the symbols of a problem. */
  public Alphabet(Problem problem) {
    this.problem = problem;
    symbols = List.copyOf(problem.symbols());
    for (String symbol : symbols) {
      ids.put(symbol, ids.size());
    }
    end = ids.get(Problem.END);
  }

  /** The number of symbols. */
  public int size() {
    return symbols.size();
  }

  /** The id of {@link Problem#END}. */
  public int end() {
    return end;
  }

  /**
   * The ids of symbols.
   *
   * @throws DataException if one is not a symbol of the problem
   */
  public int[] ids(List<String> text) {
    return text.stream().mapToInt(this::id).toArray();
  }

  private int id(String symbol) {
    Integer id = ids.get(symbol);
    if (id == null) {
      throw new DataException("'" + symbol + "' is no symbol of the problem: there are " + symbols);
    }
    return id;
  }

  /**
   * An example as a causal language model learns it: the prompt, the answer and the end.
   *
   * @param prompts whether the prompt is learned too, or the answer only
   */
  public EncodedSample encode(Example example, boolean prompts) {
    int[] text = ids(Symbols.join(example.prompt(), example.answer(), List.of(Problem.END)));
    boolean[] learned = new boolean[text.length];
    Arrays.fill(learned, prompts ? 0 : example.prompt().size(), text.length, true);
    return new EncodedSample(text, learned);
  }

  /**
   * Whether ids are a complete answer: they end with {@link Problem#END}, and not with one that
   * stands between the lines of a derivation.
   */
  public boolean isComplete(int... answer) {
    int last = answer.length - 1;
    return last >= 0
        && answer[last] == end
        && problem.isComplete(known(Arrays.copyOf(answer, last)));
  }

  /**
   * The symbols of ids; a model may have more ids, which are no symbols and become a replacement
   * character.
   */
  public List<String> known(int... ids) {
    return Arrays.stream(ids)
        .mapToObj(id -> id < symbols.size() ? symbols.get(id) : UNKNOWN)
        .toList();
  }
}
