package dev.jformer.studies.evidence;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class CheckTest {
  private static Estimate seeds(Double... values) {
    return Estimate.ofSeeds(List.of(values));
  }

  @Test
  void threeVerdictsBySpread() {
    Estimate plain = seeds(2.0, 2.1, 2.2);
    assertEquals(Verdict.HOLDS, Check.below("loss", seeds(1.5, 1.6, 1.7), plain).verdict());
    assertEquals(Verdict.DOES_NOT_HOLD, Check.below("loss", seeds(2.5, 2.6, 2.7), plain).verdict());
    assertEquals(
        Verdict.NOT_TOLD_APART, Check.below("loss", seeds(1.9, 2.0, 2.1), plain).verdict());
    assertEquals(
        Verdict.NOT_TOLD_APART, Check.atMost("loss", seeds(2.05, 2.15, 2.25), plain).verdict());
    assertEquals(Verdict.HOLDS, Check.above("loss", plain, seeds(1.5, 1.6, 1.7)).verdict());
    assertEquals(
        "loss 1.600 ± 0.10 < 2.100 ± 0.10",
        Check.below("loss", seeds(1.5, 1.6, 1.7), plain).text());
    assertEquals(
        "loss 2.010 ± 0.10 is not told apart from 2.100 ± 0.10 (3 seeds each)",
        Check.below("loss", seeds(1.91, 2.01, 2.11), plain).inFull());
  }

  @Test
  void theLargestEstimateKeepsItsSpread() {
    Estimate most = seeds(1.9, 2.0, 2.1);
    assertEquals(most, Estimate.largest(List.of(seeds(1.0, 2.0, 2.5), most, seeds(0.1))));
  }

  @Test
  void theBorderIsStudentsInterval() {
    // t(0.975, 4) = 2.776, so the border of two threes with deviation 0.1 is 0.2267.
    Estimate plain = seeds(1.9, 2.0, 2.1);
    assertEquals(0.2267, plain.noise(seeds(0.9, 1.0, 1.1)), 1e-4);
    assertEquals(Verdict.NOT_TOLD_APART, Check.below("a", plain.plus(-0.226), plain).verdict());
    assertEquals(Verdict.HOLDS, Check.below("a", plain.plus(-0.227), plain).verdict());
    // Beside an exact bound t(0.975, 2) = 4.303 standard errors of 0.1 / sqrt(3).
    assertEquals(0.2484, plain.noise(Estimate.exactly(1)), 1e-4);
    // A single run has the spread of the others: t(0.975, 2) sqrt(1 + 1/3) 0.1.
    assertEquals(0.4969, seeds(1.0).noise(plain), 1e-4);
  }

  @Test
  void tellsEqualArmsApartInOneOfTwentyCases() {
    Random random = new Random(7);
    int told = 0;
    for (int i = 0; i < 4000; i++) {
      List<List<Double>> arms = new ArrayList<>();
      for (int arm = 0; arm < 2; arm++) {
        arms.add(List.of(random.nextGaussian(), random.nextGaussian(), random.nextGaussian()));
      }
      Check check = Check.below("x", Estimate.ofSeeds(arms.get(0)), Estimate.ofSeeds(arms.get(1)));
      told += check.verdict() == Verdict.NOT_TOLD_APART ? 0 : 1;
    }
    assertEquals(0.05, told / 4000.0, 0.012);
  }

  @Test
  void oneSeedIsJudgedByValueAndSaysSo() {
    Check check = Check.below("loss", seeds(1.5), seeds(1.6));
    assertEquals(Verdict.HOLDS, check.verdict());
    assertEquals("loss 1.500 < 1.600 (one seed)", check.inFull());
    assertEquals("one seed", Check.atMost("loss", seeds(1.5), 2).basis());
    assertEquals("", Check.atMost("weights", 5, 6).basis());
    assertEquals(
        "one seed against 3 seeds", Check.below("a", seeds(1.0), seeds(2.0, 2.1, 2.2)).basis());
  }

  @Test
  void pairsOfTestItemsAreToldApartWhereTheirValuesAreNot() {
    Random random = new Random(1);
    List<Double> ours = new ArrayList<>();
    List<Double> theirs = new ArrayList<>();
    for (int i = 0; i < 200; i++) {
      double difficulty = 10 * random.nextGaussian();
      ours.add(difficulty - 0.5 + 0.1 * random.nextGaussian());
      theirs.add(difficulty);
    }
    Estimate a = Estimate.ofItems(ours);
    assertEquals(Verdict.NOT_TOLD_APART, Check.below("e", a, Estimate.ofItems(theirs)).verdict());
    Check paired = Check.below("e", Estimate.ofPairs(ours, theirs, "test item"), 0);
    assertEquals(Verdict.HOLDS, paired.verdict());
    assertEquals("200 test items", paired.basis());
    assertThrows(
        IllegalArgumentException.class, () -> Estimate.ofPairs(ours, List.of(1.0), "test item"));
  }

  @Test
  void sharesOfTestItemsHaveTheSpreadOfTheirItems() {
    Estimate counted = Estimate.ofItems(30, 40);
    List<Double> items = new ArrayList<>();
    for (int i = 0; i < 40; i++) {
      items.add(i < 30 ? 1.0 : 0.0);
    }
    Estimate listed = Estimate.ofItems(items);
    assertEquals(listed.value(), counted.value(), 1e-12);
    assertEquals(listed.error(), counted.error(), 1e-12);
    assertEquals(Verdict.NOT_TOLD_APART, Check.above("share", counted, 0.7).verdict());
    assertEquals(Verdict.HOLDS, Check.above("share", counted, 0.5).verdict());
  }

  @Test
  void aRunThatDivergedNeverHolds() {
    Estimate diverged = seeds(1.0, 1.1, Double.POSITIVE_INFINITY);
    Estimate plain = seeds(2.0, 2.1, 2.2);
    assertEquals(Verdict.DOES_NOT_HOLD, Check.below("loss", diverged, plain).verdict());
    assertEquals(Verdict.HOLDS, Check.below("loss", plain, diverged).verdict());
    assertFalse(Check.atMost("loss", seeds(1.0, Double.NaN), plain).holds());
  }

  @Test
  void allHoldsIfEachDoes() {
    Check holds = Check.below("a", 1, 2);
    Check fails = Check.below("b", 2, 1);
    Check open = Check.below("c", seeds(1.0, 2.0, 3.0), 2.1);
    assertEquals(Verdict.HOLDS, Check.all(holds, holds).verdict());
    assertEquals(Verdict.NOT_TOLD_APART, Check.all(holds, open).verdict());
    assertEquals(Verdict.DOES_NOT_HOLD, Check.all(open, fails, holds).verdict());
    assertEquals("3 seeds", Check.all(holds, open, open).basis());
  }

  @Test
  void eachChecksAllThings() {
    Check both = Check.each(List.of(1.0, 3.0), value -> Check.below("of " + value, value, 2));
    assertEquals("of 1.0 1 < 2; of 3.0 3 is not < 2", both.text());
    assertEquals(Verdict.DOES_NOT_HOLD, both.verdict());
  }

  @Test
  void readsResultsOfEarlierVersions() throws IOException {
    JsonMapper json = new JsonMapper();
    String old =
        "{\"sentence\":\"S\",\"paper\":\"p\",\"check\":{\"text\":\"a 1 ≤ 2\",\"holds\":true},"
            + "\"remark\":\"\"}";
    Claim claim = json.readValue(old, Claim.class);
    assertTrue(claim.holds());
    assertEquals("", claim.control());
    Claim open =
        Claim.that("S", Check.below("c", seeds(1.0, 2.0, 3.0), 2.1)).control("nothing").paper("p");
    String written = json.writeValueAsString(open);
    assertTrue(written.contains("\"verdict\":\"not told apart\""), written);
    assertEquals(open, json.readValue(written, Claim.class));
  }

  @Test
  void summarisesTheVerdicts() {
    Claim holds = Claim.that("A", Check.below("a", 1, 2));
    Claim open = Claim.that("B", Check.below("c", seeds(1.0, 2.0, 3.0), 2.1));
    assertEquals(
        "1 of 2 claims hold here, 1 is not told apart.", Evidence.summary(List.of(holds, open)));
    assertEquals("1 of 1 claims hold here.", Evidence.summary(List.of(holds)));
  }

  @Test
  void sentencesHoldNumbersAndEstimates() {
    assertEquals(
        "3 seeds: 2 ± 1.0 against 1235.",
        Check.sentence(
            "%s seeds: %s against %s.", 3, Estimate.ofSeeds(List.of(1.0, 2.0, 3.0)), 1234.5));
  }
}
