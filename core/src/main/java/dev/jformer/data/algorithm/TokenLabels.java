package dev.jformer.data.algorithm;

import com.google.auto.service.AutoService;
import dev.jformer.config.Checks;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.random.RandomGenerator;

/**
 * The tasks of <a href="https://arxiv.org/abs/2306.01128">Learning Transformer Programs</a>: each
 * token of a sequence gets a label. A sequence begins with a token of its own, and ends with one if
 * it is reversed or sorted; these have no label. The defaults are the paper's sizes; its Dyck
 * languages have 16 tokens, of which 15 are brackets in every word.
 *
 * @param task what the labels are
 * @param numbers how many different numbers there are, or for {@code recall} letters
 * @param longest the most tokens of a sequence, with its first and last one
 */
@AutoService(Problem.class)
public record TokenLabels(LabellingTask task, int numbers, int longest) implements Labelling {
  private static final String BEGIN = "<s>";
  private static final String CLOSE = "</s>";
  private static final String UNKNOWN = "?";
  private static final List<String> BRACKETS = List.of("(", ")", "{", "}");

  /** Defaults: five different numbers, up to six of which are sorted. */
  public TokenLabels() {
    this(LabellingTask.SORT, 5, 8);
  }

  /** Checks the values. */
  public TokenLabels {
    Checks.notNull("task", task);
    Checks.between("numbers", numbers, 2, 1000);
    Checks.between("longest", longest, 4, 1000);
    Checks.check(
        task != LabellingTask.RECALL || numbers <= 26, "numbers", numbers, "at most 26 letters");
  }

  /** A task at the paper's size. */
  public static TokenLabels ofPaper(LabellingTask task) {
    return switch (task) {
      case REVERSE, SORT -> new TokenLabels(task, 5, 8);
      case HISTOGRAM, DOUBLE_HISTOGRAM, MOST_FREQUENT -> new TokenLabels(task, 6, 8);
      case DYCK_1, DYCK_2 -> new TokenLabels(task, 2, 16);
      case RECALL -> new TokenLabels(task, 4, 10);
    };
  }

  @Override
  public String type() {
    return "token-labels";
  }

  @Override
  public String separator() {
    return " ";
  }

  @Override
  public List<String> tokens() {
    return switch (task) {
      case DYCK_1 -> Symbols.join(List.of(BEGIN), BRACKETS.subList(0, 2));
      case DYCK_2 -> Symbols.join(List.of(BEGIN), BRACKETS);
      case RECALL -> Symbols.join(List.of(BEGIN), letters(), Symbols.numbers(0, numbers));
      default ->
          Symbols.join(
              List.of(BEGIN),
              Symbols.numbers(0, numbers),
              task.hasEnd() ? List.of(CLOSE) : List.of());
    };
  }

  private List<String> letters() {
    return Symbols.characters("abcdefghijklmnopqrstuvwxyz").subList(0, numbers);
  }

  @Override
  public List<String> labels() {
    return switch (task) {
      case REVERSE, SORT -> Symbols.numbers(0, numbers);
      case HISTOGRAM, DOUBLE_HISTOGRAM -> Symbols.numbers(1, longest);
      case MOST_FREQUENT -> Symbols.join(List.of(BEGIN), Symbols.numbers(0, numbers));
      case DYCK_1, DYCK_2 -> List.of("T", "P", "F");
      case RECALL -> Symbols.join(List.of(UNKNOWN), Symbols.numbers(0, numbers));
    };
  }

  @Override
  public List<String> symbols() {
    return Symbols.join(List.of(END, NONE), tokens(), labels()).stream().distinct().toList();
  }

  @Override
  public int mostSymbols() {
    return 2 * longest + 1;
  }

  @Override
  public boolean isCausal() {
    return task.isDyck() || task == LabellingTask.RECALL;
  }

  @Override
  public Example draw(RandomGenerator random) {
    if (task.isDyck()) {
      return labelled(brackets(random));
    }
    if (task == LabellingTask.RECALL) {
      return recall(random);
    }
    int count = 1 + random.nextInt(longest - (task.hasEnd() ? 2 : 1));
    return labelled(Symbols.of(random.ints(count, 0, numbers).toArray()));
  }

  /** The example of numbers or brackets, without the first and last token. */
  Example labelled(List<String> content) {
    List<String> prompt = Symbols.join(List.of(BEGIN), content);
    List<String> answer = Symbols.join(List.of(NONE), task.isDyck() ? dyck(content) : of(content));
    while (answer.size() < prompt.size()) {
      answer.add(BEGIN);
    }
    if (task.hasEnd()) {
      prompt.add(CLOSE);
      answer.add(NONE);
    }
    return new Example(prompt, answer, Map.of("length", content.size()));
  }

  private List<String> of(List<String> content) {
    SequenceTask known =
        switch (task) {
          case REVERSE -> SequenceTask.REVERSE;
          case HISTOGRAM -> SequenceTask.HISTOGRAM;
          case DOUBLE_HISTOGRAM -> SequenceTask.DOUBLE_HISTOGRAM;
          case SORT -> SequenceTask.SORT_REPEATED;
          default -> SequenceTask.MOST_FREQUENT;
        };
    return known.of(content.stream().map(Integer::valueOf).toList()).stream()
        .map(Object::toString)
        .toList();
  }

  /** Half of the words begin with a balanced one, as the paper's. */
  private List<String> brackets(RandomGenerator random) {
    int length = longest - 1;
    int kinds = task == LabellingTask.DYCK_1 ? 1 : 2;
    List<String> word = new ArrayList<>();
    if (random.nextBoolean()) {
      int pairs = longest / 2;
      for (int i = 0; i < pairs; i++) {
        int kind = random.nextInt(kinds);
        word.add(random.nextBoolean() ? word.size() : 0, BRACKETS.get(2 * kind));
        word.add(BRACKETS.get(2 * kind + 1));
      }
    }
    while (word.size() < length) {
      word.add(BRACKETS.get(random.nextInt(2 * kinds)));
    }
    return word.subList(0, length);
  }

  private static List<String> dyck(List<String> word) {
    List<String> labels = new ArrayList<>();
    Deque<String> open = new ArrayDeque<>();
    boolean wrong = false;
    for (String bracket : word) {
      int place = BRACKETS.indexOf(bracket);
      if (place % 2 == 0) {
        open.push(bracket);
      } else {
        wrong |= open.isEmpty() || !open.pop().equals(BRACKETS.get(place - 1));
      }
      labels.add(wrong ? "F" : open.isEmpty() ? "T" : "P");
    }
    return labels;
  }

  /** Letters with their numbers; half of them begin with a number without a letter. */
  private Example recall(RandomGenerator random) {
    List<String> prompt = new ArrayList<>(List.of(BEGIN));
    List<String> answer = new ArrayList<>(List.of(NONE));
    int[] numberOf = random.ints(numbers, 0, numbers).toArray();
    Set<Integer> seen = new HashSet<>();
    boolean shifted = random.nextBoolean();
    if (shifted) {
      prompt.add(Integer.toString(random.nextInt(numbers)));
      answer.add(NONE);
    }
    int room = longest - prompt.size();
    for (int i = 0; i < room; i++) {
      if (i % 2 == 0) {
        int letter = random.nextInt(numbers);
        prompt.add(letters().get(letter));
        answer.add(seen.add(letter) ? UNKNOWN : Integer.toString(numberOf[letter]));
      } else {
        int letter = letters().indexOf(prompt.get(prompt.size() - 1));
        prompt.add(Integer.toString(numberOf[letter]));
        answer.add(NONE);
      }
    }
    return new Example(prompt, answer, Map.of("letters", seen.size()));
  }
}
