package dev.jformer.studies.trial;

import dev.jformer.model.CausalLm;
import dev.jformer.studies.evidence.Estimate;
import dev.jformer.studies.evidence.Table;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import dev.jformer.train.AdamW;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Times of arms that were measured in turns, to be saved by {@link
 * dev.jformer.studies.ExperimentContext#measure}.
 *
 * @param names of the arms
 * @param timings of the arms, in this order
 */
public record TimedArms(List<String> names, Timings timings) {
  /**
   * Measures arms in turns.
   *
   * @param work of each arm, which runs in a new scope each time
   * @param warmUp number of rounds that do not count
   * @param rounds at least 1
   */
  public static TimedArms measure(Map<String, Runnable> work, int warmUp, int rounds) {
    return new TimedArms(
        List.copyOf(work.keySet()),
        InterleavedTimer.measure(List.copyOf(work.values()), warmUp, rounds));
  }

  /**
   * Measures updates of untrained language models with AdamW, on random tokens.
   *
   * @param rows sequences in a batch, each of the model's length
   * @param rounds at least 1, after one that does not count
   */
  public static TimedArms updates(Map<String, CausalLm.Config> models, int rows, int rounds) {
    List<Update> updates = new ArrayList<>();
    Map<String, Runnable> work = new LinkedHashMap<>();
    try (Scope scope = Scope.open()) {
      models.forEach(
          (name, model) -> {
            updates.add(new Update(model, rows));
            work.put(name, updates.get(updates.size() - 1)::run);
          });
      return measure(work, 1, rounds);
    } finally {
      updates.forEach(Update::close);
    }
  }

  private static final class Update {
    private final CausalLm model;
    private final AdamW optimizer;
    private final Tensor ids;

    Update(CausalLm.Config config, int rows) {
      Random.seed(1);
      model = config.build();
      optimizer = new AdamW(model, new AdamW.Config());
      ids = Tensor.randint(0, config.vocab(), rows, config.length());
    }

    void run() {
      model.clearGrads();
      try (Scope scope = Scope.open()) {
        model.loss(ids, ids).backward();
      }
      optimizer.clipGradients(1);
      optimizer.step(1e-3);
    }

    void close() {
      optimizer.close();
      model.close();
    }
  }

  /** Returns the median seconds of an arm. */
  public double seconds(String arm) {
    return timings.of(index(arm)).median();
  }

  /** Returns the ratio of an arm's time to another's. */
  public Estimate ratio(String arm, String other) {
    return timings.ratio(index(arm), index(other)).estimate();
  }

  private int index(String arm) {
    int index = names.indexOf(arm);
    if (index < 0) {
      throw new IllegalArgumentException("no arm is called '" + arm + "': there are " + names);
    }
    return index;
  }

  /**
   * Returns a table with a row for each arm: milliseconds, and their ratio to those of the first
   * arm.
   *
   * @param arm title of the first column
   * @param ratio title of the last column
   */
  public Table table(String title, String arm, String ratio) {
    List<List<String>> rows = new ArrayList<>();
    for (String name : names) {
      rows.add(Table.row(name, 1e3 * seconds(name), ratio(name, names.get(0)).value()));
    }
    return new Table(title, List.of(arm, "ms", ratio), rows);
  }
}
