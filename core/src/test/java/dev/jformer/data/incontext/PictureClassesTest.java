package dev.jformer.data.incontext;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.jformer.data.incontext.BurstySequences.Batch;
import dev.jformer.data.incontext.BurstySequences.Kind;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class PictureClassesTest {
  /** Class k has the pictures (k, 0), (k, 1), ...; new classes begin at 100. */
  private static float[][][] classes(int from, int count, int pictures) {
    float[][][] all = new float[count][pictures][];
    for (int k = 0; k < count; k++) {
      for (int i = 0; i < pictures; i++) {
        all[k][i] = new float[] {from + k, i};
      }
    }
    return all;
  }

  @Test
  void sequencesShowPicturesOfTheirClasses() {
    PictureClasses pictures = new PictureClasses(classes(0, 9, 3), classes(100, 4, 3));
    BurstySequences sequences = new BurstySequences(9, 3, pictures, 1, 0, 5);
    Batch batch = sequences.draw(Kind.TRAINING, 40, new SplittableRandom(2));
    int[] seen = new int[3];
    for (int place = 0; place < batch.classes().length; place++) {
      assertEquals(batch.classes()[place], batch.items()[2 * place]);
      seen[(int) batch.items()[2 * place + 1]]++;
    }
    for (int count : seen) {
      assertEquals(120, count, 40);
    }
  }

  @Test
  void newClassesComeInPairsThatDiffer() {
    PictureClasses pictures = new PictureClasses(classes(0, 9, 3), classes(100, 2, 3));
    BurstySequences sequences = new BurstySequences(9, 3, pictures, 1, 0, 5);
    Batch batch = sequences.draw(Kind.IN_CONTEXT, 20, new SplittableRandom(2));
    for (int row = 0; row < 20; row++) {
      for (int t = 1; t < 9; t++) {
        boolean same = batch.labels()[row * 9 + t] == batch.labels()[row * 9];
        float first = batch.items()[2 * row * 9];
        float other = batch.items()[2 * (row * 9 + t)];
        if (same) {
          assertEquals(first, other);
        } else {
          assertNotEquals(first, other);
        }
      }
    }
  }

  @Test
  void refusesWhatDoesNotFit() {
    float[][][] two = classes(0, 2, 1);
    assertThrows(IllegalArgumentException.class, () -> new PictureClasses(two, classes(9, 1, 1)));
    float[][][] longer = {{{1, 2, 3}}, {{1, 2, 3}}};
    assertThrows(IllegalArgumentException.class, () -> new PictureClasses(two, longer));
    assertThrows(IllegalArgumentException.class, () -> new PictureClasses(two, two).of(2));
  }
}
