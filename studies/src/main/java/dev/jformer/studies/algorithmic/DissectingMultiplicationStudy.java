package dev.jformer.studies.algorithmic;

import static dev.jformer.studies.Column.column;
import static dev.jformer.studies.Column.fixed;

import com.google.auto.service.AutoService;
import dev.jformer.data.algorithm.Multiplication;
import dev.jformer.data.algorithm.Multiplication.SubTask;
import dev.jformer.studies.Arms;
import dev.jformer.studies.Column;
import dev.jformer.studies.ExperimentContext;
import dev.jformer.studies.Measured;
import dev.jformer.studies.Study;
import dev.jformer.studies.evidence.Check;
import dev.jformer.studies.evidence.Estimate;
import dev.jformer.studies.evidence.Figure;
import dev.jformer.studies.evidence.Table;
import dev.jformer.studies.trial.Small;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Dissecting Multiplication in Transformers: Insights into LLMs (<a
 * href="https://arxiv.org/abs/2407.15360">arXiv 2407.15360</a>): products of a number of five
 * digits and one of one digit, digit by digit: when each is learned, which carries go wrong, where
 * the heads look, and what the paper's three cures do, one by one and together.
 */
@AutoService(Study.class)
public final class DissectingMultiplicationStudy implements Study {
  private static final String PLAIN = "first digit first";
  private static final String REVERSED = "last digit first";
  private static final String DEEPER = "twice the layers";
  private static final String LONGER = "twice the updates";
  private static final String SIMPLE = "a third of simple samples";
  private static final String ALL = "all three cures";
  private static final double RIGHT = 99.9;

  /** What an arm changes. */
  private record Cures(boolean reversed, int depth, int length, double easy) {}

  @Override
  public void run(ExperimentContext lab) {
    Measured<MultiplicationTrial.Result> runs =
        Arms.of(ALL, new Cures(true, 2, 1, 0.3))
            .control(PLAIN, new Cures(false, 1, 1, 0))
            .arm(REVERSED, new Cures(true, 1, 1, 0))
            .arm(DEEPER, new Cures(false, 2, 1, 0))
            .control(LONGER, new Cures(false, 1, 2, 0))
            .arm(SIMPLE, new Cures(false, 1, 1, 0.3))
            .learn(lab, lab.pick(1, 3, 3), cures -> trial(lab, cures));
    claims(lab, runs);
    tables(lab, runs);
    lab.note(
        "Products of %d digits by one, both with leading zeros, in %,d updates of %d new samples;"
            + " %,d held-out products are answered greedily and count as right as a whole. The"
            + " paper's abstract speaks of products of five digits; this is one of its settings.",
        first(lab), updates(lab), batch(lab), answers(lab));
    lab.note(
        "%d layers of width %d with 3 heads; the paper's width is 510. Simple samples have no digit"
            + " above 4. The paper gives no program, and no number of updates.",
        layers(lab), width(lab));
    lab.note(
        "A carry is successive if it is only right with the carry before it. Shares of wrong digits"
            + " are of digits that follow right ones. Number of updates and learning rate were set"
            + " after trial runs of the first two orders.");
  }

  private static void claims(ExperimentContext lab, Measured<MultiplicationTrial.Result> runs) {
    lab.claim(
        "With all three cures, products of %d digits by one are right to %s %%"
            .formatted(first(lab), RIGHT),
        "more than 99.9 % (abstract)",
        PLAIN,
        Check.atLeast("accuracy (%)", percent(runs, ALL), RIGHT));
    for (String cure : List.of(REVERSED, DEEPER, SIMPLE, ALL)) {
      lab.claim(
          switch (cure) {
            case REVERSED -> "Products are more often right if the last digit is written first";
            case DEEPER -> "Products are more often right with twice the layers";
            case SIMPLE -> "Products are more often right if a third of the samples are simple";
            default -> "The three cures together are better than none";
          },
          "a cure (section 5)",
          PLAIN,
          Check.above("accuracy (%)", percent(runs, cure), percent(runs, PLAIN)));
    }
    lab.claim(
        "Twice the layers do more than as much computing by twice the updates",
        "a cure (section 5); the comparison is ours",
        LONGER,
        Check.above("accuracy (%)", percent(runs, DEEPER), percent(runs, LONGER)));
    lab.claim(
        "Written from the first digit on, digits with successive carries are wrong more often than"
            + " others",
        "failures sit on successive carries (section 4)",
        "digits without successive carries",
        Check.each(
            List.of(SubTask.BASE, SubTask.CARRY),
            other ->
                Check.above(
                    "wrong digits (%), against " + name(other),
                    runs.of(PLAIN, run -> run.wrong(SubTask.SUCCESSIVE_CARRY)),
                    runs.of(PLAIN, run -> run.wrong(other)))));
    int middle = first(lab) - 1;
    lab.claim(
        "Digits are learned one after the other: first the last one, which needs no carry, then the"
            + " first, then those between",
        "each digit is learned on its own, in sequence (section 4)",
        "the digits between",
        Check.all(
            Check.below("mean loss, last digit", loss(runs, 0), loss(runs, first(lab))),
            Check.below(
                "mean loss, first digit against the least between",
                loss(runs, first(lab)),
                Estimate.ofSeeds(
                    runs.arm(PLAIN)
                        .values(
                            run ->
                                IntStream.rangeClosed(1, middle)
                                    .mapToDouble(run::meanLoss)
                                    .min()
                                    .orElseThrow())))));
    lab.claim(
        "Written from the last digit on, some head looks most at the very digit of the first number"
            + " that the product's digit is made of",
        "heads attend to the digits to multiply (section 4)",
        "another digit's place",
        Check.atLeast(
            "digits that a head of its own finds (of %d)".formatted(first(lab)),
            runs.of(REVERSED, run -> found(run, first(lab), 0)),
            first(lab)),
        Check.sentence(
            "At the digit one place further up: %s.",
            runs.of(REVERSED, run -> found(run, first(lab), 1))));
  }

  /** The number of digits of which a head looks most at the digit of the first number there. */
  private static double found(MultiplicationTrial.Result run, int digits, int further) {
    return IntStream.range(0, digits)
        .filter(
            digit ->
                run.heads().stream()
                    .anyMatch(head -> head.places().get(digit) == digits - 1 - digit - further))
        .count();
  }

  private static void tables(ExperimentContext lab, Measured<MultiplicationTrial.Result> runs) {
    lab.table(
        runs.table(
            "Products of %d digits by one that were not trained on".formatted(first(lab)),
            "training",
            column("right (%)", MultiplicationTrial.Result::percent),
            Column.eachSeed("by seed (%)", MultiplicationTrial.Result::percent),
            column("loss (nats a digit)", run -> run.course().finalLoss()),
            fixed("weights", run -> run.course().parameters()),
            column("seconds", run -> run.course().seconds())));
    List<Column<MultiplicationTrial.Result>> tasks = new ArrayList<>();
    for (SubTask task : SubTask.values()) {
      tasks.add(column(name(task) + " (%)", run -> run.wrong(task)));
    }
    lab.table(runs.table("Wrong digits by what they need", "training", tasks));
    List<Column<MultiplicationTrial.Result>> chains = new ArrayList<>();
    for (int chain : IntStream.rangeClosed(0, first(lab) - 1).toArray()) {
      chains.add(
          column(
              chain + " successive (%)",
              run -> 100 * run.wrongByChain().getOrDefault(chain, Double.NaN)));
    }
    lab.table(runs.table("Wrong products by their most successive carries", "training", chains));
    for (String arm : List.of(PLAIN, REVERSED)) {
      lab.figure(
          Figure.of(
                  "Loss of each digit during training, " + arm + ", first seed",
                  "updates",
                  "nats",
                  curves(lab, runs.first(arm)))
              .withLogY());
    }
    for (String arm : List.of(PLAIN, REVERSED)) {
      lab.table(heads(lab, arm, runs.first(arm)));
    }
  }

  private static List<Figure.Series> curves(ExperimentContext lab, MultiplicationTrial.Result run) {
    int digits = first(lab) + 1;
    double interval = (double) updates(lab) / run.digits().get(0).size();
    return IntStream.range(0, digits)
        .mapToObj(
            digit ->
                Figure.Series.spaced(
                    digit == 0
                        ? "last digit"
                        : digit == digits - 1 ? "first digit" : "digit " + digit + " before it",
                    interval,
                    interval,
                    run.digits().get(digit)))
        .toList();
  }

  /** Where the heads look for each digit, with the share of their weight. */
  private static Table heads(ExperimentContext lab, String arm, MultiplicationTrial.Result run) {
    List<String> titles = new ArrayList<>(List.of("layer and head"));
    int digits = first(lab) + 1;
    for (int digit = 0; digit < digits; digit++) {
      titles.add("product's digit " + digit);
    }
    List<List<String>> rows = new ArrayList<>();
    for (MultiplicationTrial.Head head : run.heads()) {
      List<String> row = new ArrayList<>(List.of(head.layer() + "." + head.head()));
      for (int digit = 0; digit < digits; digit++) {
        row.add(
            "%s, %.0f %%"
                .formatted(
                    place(head.places().get(digit), first(lab)), 100 * head.weights().get(digit)));
      }
      rows.add(row);
    }
    return new Table(
        "What of the prompt each head attends to most, "
            + arm
            + ", first seed (digits counted from the last, which is 0; a: first number, b: second)",
        titles,
        rows);
  }

  private static String place(int place, int first) {
    if (place < first) {
      return "a" + (first - 1 - place);
    }
    return place == first ? "*" : place == first + 1 ? "b" : "=";
  }

  private static String name(SubTask task) {
    return switch (task) {
      case BASE -> "no carry";
      case CARRY -> "a carry";
      case SUCCESSIVE_CARRY -> "a successive carry";
    };
  }

  private static Estimate percent(Measured<MultiplicationTrial.Result> runs, String arm) {
    return runs.of(arm, MultiplicationTrial.Result::percent);
  }

  private static Estimate loss(Measured<MultiplicationTrial.Result> runs, int digit) {
    return runs.of(PLAIN, run -> run.meanLoss(digit));
  }

  private static MultiplicationTrial trial(ExperimentContext lab, Cures cures) {
    Multiplication problem = new Multiplication(first(lab), 1, cures.reversed(), cures.easy());
    int updates = updates(lab) * cures.length();
    return new MultiplicationTrial(
        problem,
        new Multiplication(first(lab), 1, cures.reversed(), 0),
        answers(lab),
        Small.language(layers(lab) * cures.depth(), width(lab), problem.mostSymbols(), 3),
        Small.training(updates, batch(lab), 1)
            .withLearningRate(lab.pick(1e-3, 3e-3, 1e-3))
            .withEvaluateEvery(Math.max(1, updates / lab.pick(2, 20, 40))));
  }

  private static int first(ExperimentContext lab) {
    return lab.pick(2, 5, 5);
  }

  private static int answers(ExperimentContext lab) {
    return lab.pick(4, 2000, 10_000);
  }

  private static int layers(ExperimentContext lab) {
    return lab.pick(1, 2, 3);
  }

  private static int width(ExperimentContext lab) {
    return lab.pick(12, 96, 510);
  }

  private static int updates(ExperimentContext lab) {
    return lab.pick(4, 1600, 20_000);
  }

  private static int batch(ExperimentContext lab) {
    return lab.pick(4, 64, 256);
  }
}
