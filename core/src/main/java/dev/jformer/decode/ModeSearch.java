package dev.jformer.decode;

import dev.jformer.config.Checks;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Exact search for the most probable text of a model, or the most probable one of each length, as
 * in <a href="https://arxiv.org/abs/2311.08817">MAP's not dead yet: Uncovering true language model
 * modes by conditioning away degeneracy</a>, a part of <a
 * href="https://arxiv.org/abs/2408.16241">Making the Most of your Model: Methods for Finetuning and
 * Applying Pretrained Transformers</a>.
 *
 * <p>Log probabilities only fall as a text grows. So the search goes through all prefixes, the most
 * probable continuation first, and leaves out those that are no more probable than the best
 * complete text that they could still become. It ends for every model, but how many steps it takes
 * depends on how sure the model is: it is for small models and short texts.
 */
public final class ModeSearch {
  private final int longest;
  private final long limit;

  /**
   * The most probable text found.
   *
   * @param ids its tokens, without the end; null if every text has probability 0
   * @param logProbability of the tokens and the end, in nats
   * @param exact whether no other text is more probable; if not, the search reached its limit
   * @param steps number of prefixes that the model read
   */
  public record Found(List<Integer> ids, double logProbability, boolean exact, long steps) {}

  /**
   * Creates a search.
   *
   * @param longest the most tokens of a text, without its end
   * @param limit the most prefixes that the model reads
   */
  public ModeSearch(int longest, long limit) {
    Checks.atLeast("longest", longest, 0);
    Checks.atLeast("limit", limit, 1);
    this.longest = longest;
    this.limit = limit;
  }

  /**
   * Finds the most probable text of any length.
   *
   * @param known texts that are probable, such as those of a beam search, which make the search
   *     shorter; may be empty
   */
  public Found mode(NextToken model, List<List<Integer>> known) {
    Search search = new Search(model, new int[longest + 1]);
    search.run(known);
    return search.found(0);
  }

  /**
   * Finds the most probable text of a length.
   *
   * @param length number of tokens, without the end
   * @param known as in {@link #mode}
   */
  public Found modeOfLength(NextToken model, int length, List<List<Integer>> known) {
    if (length < 0 || length > longest) {
      throw new IllegalArgumentException("length is " + length + ": expected 0 to " + longest);
    }
    int[] kinds = new int[length + 1];
    Arrays.fill(kinds, -1);
    kinds[length] = 0;
    Search search = new Search(model, kinds);
    search.run(known);
    return search.found(0);
  }

  /** Finds the most probable text of each length from 0 to the longest. */
  public List<Found> modesByLength(NextToken model, List<List<Integer>> known) {
    Search search = new Search(model, IntStream.rangeClosed(0, longest).toArray());
    search.run(known);
    return IntStream.rangeClosed(0, longest).mapToObj(search::found).toList();
  }

  /** One search for the best text of each kind. */
  private final class Search {
    private final NextToken model;

    /** The kind of texts with so many tokens; -1 for those that are not looked for. */
    private final int[] kinds;

    private final double[] best;
    private final int[][] texts;
    private long steps;
    private boolean full = true;

    Search(NextToken model, int[] kinds) {
      this.model = model;
      this.kinds = kinds;
      int count = Arrays.stream(kinds).max().orElseThrow() + 1;
      this.best = new double[count];
      this.texts = new int[count][];
      Arrays.fill(best, Double.NEGATIVE_INFINITY);
    }

    void run(List<List<Integer>> known) {
      for (List<Integer> text : known) {
        if (text.size() < kinds.length && kinds[text.size()] >= 0) {
          int[] ids = text.stream().mapToInt(id -> id).toArray();
          offer(ids, logProbability(ids));
        }
      }
      visit(new int[0], 0);
    }

    private double logProbability(int[] ids) {
      double sum = 0;
      for (int t = 0; t <= ids.length; t++) {
        double[] next = next(Arrays.copyOf(ids, t));
        sum += next[t < ids.length ? ids[t] : model.end()];
      }
      return sum;
    }

    private double[] next(int[] prefix) {
      steps++;
      double[] next = model.logProbabilities(prefix);
      for (double value : next) {
        if (Double.isNaN(value)) {
          throw new LogitsException("a logit is NaN: expected a number");
        }
      }
      return next;
    }

    private void offer(int[] ids, double logProbability) {
      int kind = kinds[ids.length];
      if (kind >= 0 && logProbability > best[kind]) {
        best[kind] = logProbability;
        texts[kind] = ids;
      }
    }

    /** The least that a prefix of some tokens must exceed to become the best of a kind. */
    private double bound(int tokens) {
      double least = Double.POSITIVE_INFINITY;
      for (int length = tokens; length < kinds.length; length++) {
        if (kinds[length] >= 0) {
          least = Math.min(least, best[kinds[length]]);
        }
      }
      return least;
    }

    private void visit(int[] prefix, double logProbability) {
      if (steps >= limit) {
        full = false;
        return;
      }
      double[] next = next(prefix);
      offer(prefix, logProbability + next[model.end()]);
      if (prefix.length + 1 >= kinds.length) {
        return;
      }
      double least = bound(prefix.length + 1);
      int[] open =
          IntStream.range(0, next.length)
              .filter(id -> id != model.end())
              .filter(id -> logProbability + next[id] > least)
              .boxed()
              .sorted(Comparator.comparingDouble(id -> -next[id]))
              .mapToInt(id -> id)
              .toArray();
      for (int id : open) {
        if (logProbability + next[id] <= bound(prefix.length + 1)) {
          return; // the bound has risen; the others are less probable
        }
        int[] longer = Arrays.copyOf(prefix, prefix.length + 1);
        longer[prefix.length] = id;
        visit(longer, logProbability + next[id]);
      }
    }

    Found found(int kind) {
      List<Integer> ids = null;
      if (texts[kind] != null) {
        ids = new ArrayList<>();
        for (int id : texts[kind]) {
          ids.add(id);
        }
      }
      return new Found(ids, best[kind], full, steps);
    }
  }
}
