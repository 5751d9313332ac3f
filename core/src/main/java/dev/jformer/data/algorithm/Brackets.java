package dev.jformer.data.algorithm;

import com.google.auto.service.AutoService;
import dev.jformer.config.Checks;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.random.RandomGenerator;

/**
 * Words of brackets (the Dyck languages of <a href="https://arxiv.org/abs/2306.01128">Learning
 * Transformer Programs</a>): after each bracket, is the word so far balanced, can it still be
 * completed, or is it wrong? Half of the words are correct for as long as they are; the others are
 * drawn bracket by bracket.
 *
 * @param kinds kinds of brackets, 1 or 2
 * @param shortest fewest brackets
 * @param longest most brackets
 */
@AutoService(Problem.class)
public record Brackets(int kinds, int shortest, int longest) implements Problem {
  private static final String ANSWER = ">";
  private static final String BALANCED = "T";
  private static final String OPEN = "P";
  private static final String WRONG = "F";
  private static final List<String> OPENING = List.of("(", "{");
  private static final List<String> CLOSING = List.of(")", "}");

  /** Defaults: one kind of brackets, up to 16 of them. */
  public Brackets() {
    this(1, 1, 16);
  }

  /** Checks the values. */
  public Brackets {
    Checks.between("kinds", kinds, 1, OPENING.size());
    Checks.between("longest", longest, 1, 10_000);
    Checks.between("shortest", shortest, 1, longest);
  }

  @Override
  public String type() {
    return "brackets";
  }

  @Override
  public List<String> symbols() {
    return Symbols.join(
        List.of(END, ANSWER, BALANCED, OPEN, WRONG),
        OPENING.subList(0, kinds),
        CLOSING.subList(0, kinds));
  }

  @Override
  public Example draw(RandomGenerator random) {
    int length = shortest + random.nextInt(longest - shortest + 1);
    boolean correct = random.nextBoolean();
    Deque<Integer> open = new ArrayDeque<>();
    boolean wrong = false;
    List<String> word = new ArrayList<>();
    List<String> answer = new ArrayList<>();
    for (int i = 0; i < length; i++) {
      int kind = random.nextInt(kinds);
      boolean opens = random.nextBoolean() || (correct && open.isEmpty());
      if (opens) {
        open.push(kind);
      } else {
        kind = correct ? open.peek() : kind;
        wrong |= open.isEmpty() || open.pop() != kind;
      }
      word.add((opens ? OPENING : CLOSING).get(kind));
      answer.add(wrong ? WRONG : open.isEmpty() ? BALANCED : OPEN);
    }
    word.add(ANSWER);
    return new Example(word, answer, Map.of("length", length));
  }

  @Override
  public int mostSymbols() {
    return 2 * longest + 2;
  }
}
