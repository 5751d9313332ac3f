package dev.jformer.data.incontext;

import static dev.jformer.data.incontext.FunctionChecks.prompts;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

/** Noisy linear functions and the predictor that knows how they are drawn. */
class NoisyLinearFunctionsTest {
  /** Errors are as large as the Bayes predictor says, and larger for other solvers. */
  @Test
  void theBayesPredictorKnowsItsErrors() {
    NoisyLinearFunctions functions = new NoisyLinearFunctions(3, 0.1, 2);
    Prompts prompts = prompts(functions, 25, 400);
    double ratio = 0;
    double loss = 0;
    double ridge = 0;
    for (int row = 0; row < prompts.count(); row++) {
      Learner.Run bayes = functions.bayes().start(3);
      Learner.Run other = new RidgeLearner(1.05 * 1.05).start(3);
      for (int t = 0; t < prompts.length(); t++) {
        double[] x = prompts.input(row, t);
        double y = prompts.output(row, t);
        double error = Math.pow(y - bayes.predict(x), 2);
        ratio += error / bayes.variance(x) / prompts.y().length;
        loss += (Math.log(bayes.variance(x)) + error / bayes.variance(x)) / 2;
        double variance = other.variance(x);
        ridge += (Math.log(variance) + Math.pow(y - other.predict(x), 2) / variance) / 2;
        bayes.observe(x, y);
        other.observe(x, y);
      }
    }
    assertEquals(1, ratio, 0.05);
    assertTrue(loss < ridge - 0.05 * prompts.y().length, loss + " against " + ridge);
  }
}
