package dev.jformer.data.incontext;

import java.util.List;
import java.util.SplittableRandom;

/** What items of classes look like: as many numbers each. */
public interface ExemplarClasses {
  /** The items of a class. */
  @FunctionalInterface
  interface Items {
    /**
     * Draws an item.
     *
     * @param items receives it
     * @param place its number among the items there
     */
    void write(float[] items, int place, SplittableRandom random);
  }

  /** The numbers of an item. */
  int dimension();

  /** The items of a class that is trained on, from 0. */
  Items of(int ofClass);

  /** Two different classes that are never trained on. */
  List<Items> newClasses(SplittableRandom random);
}
