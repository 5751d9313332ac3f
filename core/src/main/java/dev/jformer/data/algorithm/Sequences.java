package dev.jformer.data.algorithm;

import com.google.auto.service.AutoService;
import dev.jformer.config.Checks;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.random.RandomGenerator;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Tasks on sequences of numbers, such as those of <a href="https://arxiv.org/abs/2310.16028">What
 * Algorithms can Transformers Learn? A Study in Length Generalization</a> and <a
 * href="https://arxiv.org/abs/2306.01128">Learning Transformer Programs</a>. Lengths are drawn
 * evenly.
 *
 * <p>With hints, each number of the prompt follows a hint that names its place: {@code h3 5}. The
 * hints of a prompt are neighbours that begin anywhere. The parity has a derivation then: the hint
 * of each odd number with the parity so far.
 *
 * @param task what is to be done
 * @param shortest fewest numbers of a prompt, at least 1
 * @param longest most numbers of a prompt; for {@code count}, of an answer
 * @param numbers one more than the largest number; 2 for parity
 * @param hints whether there are hints
 * @param places number of different hints; as many places as numbers if 0
 */
@AutoService(Problem.class)
public record Sequences(
    SequenceTask task, int shortest, int longest, int numbers, boolean hints, int places)
    implements Problem {
  private static final String ANSWER = ">";

  /** Defaults: up to twenty different numbers of sixty are copied. */
  public Sequences() {
    this(SequenceTask.COPY_UNIQUE, 1, 20, 60, false, 0);
  }

  /** Checks the values. */
  public Sequences {
    Checks.notNull("task", task);
    Checks.between("longest", longest, 1, 10_000);
    Checks.between("shortest", shortest, 1, longest);
    Checks.between("numbers", numbers, 2, 100_000);
    Checks.check(
        numbers >= longest || !(task.isUnique() || task == SequenceTask.COUNT),
        "numbers",
        numbers,
        "at least longest, " + longest + ", so that all can be different");
    Checks.check(places == 0 || places >= longest, "places", places, "0 or at least " + longest);
    Checks.check(
        !hints || task == SequenceTask.PARITY,
        "hints",
        hints,
        "false: hints are there for the parity");
  }

  @Override
  public String type() {
    return "sequences";
  }

  @Override
  public String separator() {
    return " ";
  }

  private int hintCount() {
    return !hints ? 0 : places == 0 ? longest : places;
  }

  @Override
  public List<String> symbols() {
    int most = task.counts() ? Math.max(numbers, longest + 1) : numbers;
    List<String> all = Symbols.join(List.of(END, ANSWER), Symbols.numbers(0, most));
    return Symbols.join(all, IntStream.range(0, hintCount()).mapToObj(Sequences::hint).toList());
  }

  private static String hint(int place) {
    return "h" + place;
  }

  @Override
  public Example draw(RandomGenerator random) {
    int length = shortest + random.nextInt(longest - shortest + 1);
    List<Integer> given = given(length, random);
    List<String> answer =
        task.of(given).stream().map(Object::toString).collect(Collectors.toList());
    List<String> prompt = new ArrayList<>();
    int from = hints ? random.nextInt(hintCount() - length + 1) : 0;
    for (int i = 0; i < given.size(); i++) {
      prompt.addAll(hints ? List.of(hint(from + i)) : List.of());
      prompt.add(given.get(i).toString());
    }
    prompt.add(ANSWER);
    return new Example(prompt, hints ? steps(given, from) : answer, Map.of("length", length));
  }

  private List<Integer> given(int length, RandomGenerator random) {
    if (task == SequenceTask.COUNT) {
      int from = random.nextInt(numbers - length + 1);
      return List.of(from, from + length - 1);
    }
    if (task.isUnique()) {
      List<Integer> all = new ArrayList<>(IntStream.range(0, numbers).boxed().toList());
      Collections.shuffle(all, new Random(random.nextLong()));
      return List.copyOf(all.subList(0, length));
    }
    while (true) {
      List<Integer> given = random.ints(length, 0, numbers).boxed().toList();
      if (task != SequenceTask.MODE || hasOneMode(given)) {
        return given;
      }
    }
  }

  private static boolean hasOneMode(List<Integer> numbers) {
    Map<Integer, Long> counts =
        numbers.stream().collect(Collectors.groupingBy(n -> n, Collectors.counting()));
    long most = Collections.max(counts.values());
    return counts.values().stream().filter(count -> count == most).count() == 1;
  }

  /** The hint of each odd number with the parity up to it; 0 if there is none. */
  private static List<String> steps(List<Integer> bits, int from) {
    List<String> steps = new ArrayList<>();
    int parity = 0;
    for (int i = 0; i < bits.size(); i++) {
      if (bits.get(i) % 2 == 1) {
        parity = 1 - parity;
        steps.add(hint(from + i));
        steps.add(Integer.toString(parity));
      }
    }
    return steps.isEmpty() ? List.of("0") : steps;
  }

  @Override
  public int mostSymbols() {
    int each = hints ? 2 : 1;
    int prompt = task == SequenceTask.COUNT ? 2 : each * longest;
    boolean isShort = task == SequenceTask.MODE || (task == SequenceTask.PARITY && !hints);
    return prompt + 1 + (isShort ? 1 : each * longest) + 1;
  }

  @Override
  public List<String> result(List<String> answer) {
    return hints && !answer.isEmpty() ? answer.subList(answer.size() - 1, answer.size()) : answer;
  }
}
