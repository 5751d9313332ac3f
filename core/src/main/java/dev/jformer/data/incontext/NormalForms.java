package dev.jformer.data.incontext;

import com.google.auto.service.AutoService;
import dev.jformer.config.Checks;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Formulas in disjunctive normal form, a few conjunctions joined by "or", or in conjunctive normal
 * form, which is the same with inputs and outputs negated; as in <a
 * href="https://arxiv.org/abs/2310.03016">Understanding In-Context Learning in Transformers and
 * LLMs by Learning to Learn Discrete Functions</a>.
 *
 * @param form disjunctive (DNF) or conjunctive (CNF)
 * @param inputs n
 * @param terms number of conjunctions, or of disjunctions
 * @param literals the probability that an input matters in one of them, negated or not
 * @param forced the share of examples that are made positive (DNF) or negative (CNF)
 */
@AutoService(FunctionClass.class)
public record NormalForms(Form form, int inputs, int terms, double literals, double forced)
    implements FunctionClass {
  /** What a formula is made of. */
  public enum Form {
    /** Conjunctions joined by "or". */
    DNF,
    /** Disjunctions joined by "and". */
    CNF
  }

  /** Defaults: DNF of 3 conjunctions over 10 inputs. */
  public NormalForms() {
    this(Form.DNF, 10, 3, 0.2, 0.35);
  }

  /** Checks the values. */
  public NormalForms {
    Checks.notNull("form", form);
    Checks.between("inputs", inputs, 1, Draws.MOST_INPUTS);
    Checks.between("terms", terms, 1, 1000);
    Checks.share("literals", literals);
    Checks.share("forced", forced);
  }

  @Override
  public String type() {
    return "normal-form";
  }

  @Override
  public boolean isBoolean() {
    return true;
  }

  @Override
  public void draw(Prompts prompts, int row, SplittableRandom random, boolean heldOut) {
    List<Literals> all = new ArrayList<>();
    for (int i = 0; i < terms; i++) {
      all.add(Literals.withProbability(inputs, literals, false, random));
    }
    for (int t = 0; t < prompts.length(); t++) {
      double[] x = Draws.signs(inputs, random);
      if (random.nextDouble() < forced) {
        all.get(random.nextInt(terms)).force(x);
      }
      prompts.setInput(row, t, x);
      prompts.setOutput(row, t, all.stream().anyMatch(term -> term.hold(x)) ? 1 : -1);
    }
    if (form == Form.CNF) {
      Negation.apply(prompts, row);
    }
  }

  @Override
  public List<Learner> learners() {
    return List.of(new NeighboursLearner(1), new PerceptronLearner(), new FrequentLabelLearner());
  }
}
