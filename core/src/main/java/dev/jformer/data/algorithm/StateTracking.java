package dev.jformer.data.algorithm;

import com.google.auto.service.AutoService;
import dev.jformer.config.Checks;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.random.RandomGenerator;
import java.util.stream.IntStream;

/**
 * Follows a state through a word: which permutation of a few things a sequence of permutations
 * makes. For five things (the group S5) this is hard for one pass of a Transformer of bounded depth
 * (<a href="https://arxiv.org/abs/2310.07923">The Expressive Power of Transformers with Chain of
 * Thought</a>); with the state after each symbol as intermediate steps it is easy.
 *
 * @param things number of things that are permuted, 2 to 5
 * @param shortest fewest permutations of a word, at least 1
 * @param longest most permutations of a word
 * @param steps how many states the answer has
 */
@AutoService(Problem.class)
public record StateTracking(int things, int shortest, int longest, Steps steps) implements Problem {
  private static final String ANSWER = ">";

  /** The number of intermediate steps. */
  public enum Steps {
    /** The last state alone. */
    NONE,
    /** The states after half, three quarters, seven eighths of the word and so on. */
    LOGARITHMIC,
    /** The state after each symbol. */
    ALL
  }

  /** Defaults: words of up to 20 permutations of five things, all states. */
  public StateTracking() {
    this(5, 1, 20, Steps.ALL);
  }

  /** Checks the values. */
  public StateTracking {
    Checks.between("things", things, 2, 5);
    Checks.between("longest", longest, 1, 10_000);
    Checks.between("shortest", shortest, 1, longest);
    Checks.notNull("steps", steps);
  }

  @Override
  public String type() {
    return "state-tracking";
  }

  @Override
  public String separator() {
    return " ";
  }

  @Override
  public List<String> symbols() {
    int count = permutations().size();
    return Symbols.join(
        List.of(END, ANSWER),
        IntStream.range(0, count).mapToObj(i -> "p" + i).toList(),
        IntStream.range(0, count).mapToObj(i -> "s" + i).toList());
  }

  /** All permutations in lexicographic order; the first one changes nothing. */
  private List<int[]> permutations() {
    List<int[]> found = new ArrayList<>();
    extend(new int[0], found);
    return found;
  }

  private void extend(int[] begun, List<int[]> found) {
    if (begun.length == things) {
      found.add(begun);
      return;
    }
    for (int next = 0; next < things; next++) {
      int wanted = next;
      if (Arrays.stream(begun).noneMatch(used -> used == wanted)) {
        int[] longer = Arrays.copyOf(begun, begun.length + 1);
        longer[begun.length] = next;
        extend(longer, found);
      }
    }
  }

  @Override
  public Example draw(RandomGenerator random) {
    List<int[]> all = permutations();
    int length = shortest + random.nextInt(longest - shortest + 1);
    int[] state = all.get(0);
    List<String> prompt = new ArrayList<>();
    List<String> states = new ArrayList<>();
    for (int i = 0; i < length; i++) {
      int drawn = random.nextInt(all.size());
      int[] before = state;
      state = Arrays.stream(all.get(drawn)).map(place -> before[place]).toArray();
      prompt.add("p" + drawn);
      states.add("s" + indexOf(state, all));
    }
    prompt.add(ANSWER);
    return new Example(prompt, chosen(states), Map.of("length", length));
  }

  private static int indexOf(int[] permutation, List<int[]> all) {
    for (int i = 0; i < all.size(); i++) {
      if (Arrays.equals(all.get(i), permutation)) {
        return i;
      }
    }
    throw new IllegalStateException(Arrays.toString(permutation));
  }

  private List<String> chosen(List<String> states) {
    List<String> chosen = new ArrayList<>();
    for (int left = states.size(); steps == Steps.LOGARITHMIC && left > 1; left /= 2) {
      chosen.add(states.get(states.size() - 1 - left / 2));
    }
    if (steps == Steps.ALL) {
      chosen.addAll(states.subList(0, states.size() - 1));
    }
    chosen.add(states.get(states.size() - 1));
    return chosen;
  }

  @Override
  public int mostSymbols() {
    int answer =
        switch (steps) {
          case NONE -> 1;
          case LOGARITHMIC -> 33 - Integer.numberOfLeadingZeros(longest);
          case ALL -> longest;
        };
    return longest + 1 + answer + 1;
  }

  @Override
  public List<String> result(List<String> answer) {
    return answer.isEmpty() ? answer : answer.subList(answer.size() - 1, answer.size());
  }
}
