package dev.jformer.data.incontext;

import dev.jformer.config.Checks;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Classes of which there are some pictures each, such as drawings of a character.
 *
 * @param learned the pictures of each class that is trained on: [class][picture][number]
 * @param others those of the classes that are new
 */
@SuppressWarnings("ArrayRecordComponent")
public record PictureClasses(float[][][] learned, float[][][] others) implements ExemplarClasses {
  /** Checks the values. */
  public PictureClasses {
    Checks.atLeast("classes that are trained on", learned.length, 1);
    Checks.atLeast("new classes", others.length, 2);
    int dimension = learned[0][0].length;
    for (float[][][] classes : List.of(learned, others)) {
      for (float[][] pictures : classes) {
        Checks.atLeast("pictures of a class", pictures.length, 1);
        for (float[] picture : pictures) {
          Checks.between("numbers of a picture", picture.length, dimension, dimension);
        }
      }
    }
  }

  @Override
  public int dimension() {
    return learned[0][0].length;
  }

  @Override
  public Items of(int ofClass) {
    Checks.between("class", ofClass, 0, learned.length - 1);
    return any(learned[ofClass]);
  }

  @Override
  public List<Items> newClasses(SplittableRandom random) {
    int first = random.nextInt(others.length);
    int second = (first + 1 + random.nextInt(others.length - 1)) % others.length;
    return List.of(any(others[first]), any(others[second]));
  }

  private static Items any(float[][] pictures) {
    return (items, place, random) -> {
      float[] picture = pictures[random.nextInt(pictures.length)];
      System.arraycopy(picture, 0, items, place * picture.length, picture.length);
    };
  }
}
