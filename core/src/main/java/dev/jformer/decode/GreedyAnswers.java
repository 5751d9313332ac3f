package dev.jformer.decode;

import dev.jformer.model.CausalLm;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;

/**
 * Answers many prompts of a causal language model greedily: always the most probable token. Prompts
 * of equal length are answered together.
 */
public final class GreedyAnswers {
  private final CausalLm model;
  private final int batch;

  /**
   * Creates an answerer.
   *
   * @param model in inference mode
   * @param batch the most prompts at a time
   */
  public GreedyAnswers(CausalLm model, int batch) {
    this.model = model;
    this.batch = batch;
  }

  /**
   * Answers prompts.
   *
   * @param prompts not empty
   * @param most the most tokens of a prompt and its answer together; at most what the model takes
   * @param complete whether an answer is complete; asked after each token
   * @return the tokens after each prompt, in the order of the prompts; those that did not get
   *     complete are cut off
   */
  public List<int[]> of(List<int[]> prompts, int most, Predicate<int[]> complete) {
    Map<Integer, List<Integer>> byLength = new LinkedHashMap<>();
    for (int i = 0; i < prompts.size(); i++) {
      byLength.computeIfAbsent(prompts.get(i).length, n -> new ArrayList<>()).add(i);
    }
    List<int[]> answers = new ArrayList<>(prompts);
    byLength.forEach(
        (length, numbers) -> {
          for (int from = 0; from < numbers.size(); from += batch) {
            List<Integer> some = numbers.subList(from, Math.min(numbers.size(), from + batch));
            int[][] found = answer(some.stream().map(prompts::get).toList(), most, complete);
            for (int i = 0; i < found.length; i++) {
              answers.set(some.get(i), found[i]);
            }
          }
        });
    return answers;
  }

  private int[][] answer(List<int[]> prompts, int most, Predicate<int[]> complete) {
    int rows = prompts.size();
    int length = prompts.get(0).length;
    int room = Math.max(0, (int) Math.min(most, model.longest()) - length);
    int[][] answers = new int[rows][0];
    if (room == 0) {
      return answers;
    }
    boolean[] done = new boolean[rows];
    long[] next = prompts.stream().flatMapToInt(Arrays::stream).asLongStream().toArray();
    try (Mode mode = Autograd.inference();
        CausalLm.Decoding decoding = model.decode(rows, length + (long) room)) {
      for (int step = 0; step < room; step++) {
        long[] chosen;
        try (Scope scope = Scope.open()) {
          Tensor ids = Tensor.of(next).view(rows, next.length / rows);
          chosen = decoding.next(ids).argmax(-1).toLongs();
        }
        boolean all = true;
        for (int row = 0; row < rows; row++) {
          if (!done[row]) {
            answers[row] = Arrays.copyOf(answers[row], step + 1);
            answers[row][step] = (int) chosen[row];
            done[row] = complete.test(answers[row]);
            all &= done[row];
          }
        }
        if (all) {
          break;
        }
        next = chosen;
      }
    }
    return answers;
  }
}
