package dev.jformer.nn;

/** A module that changes in the course of training; the trainer calls it before each update. */
public interface ScheduledModule {
  /**
   * Called before each update, also the first one after resuming.
   *
   * @param step number of updates done
   * @param steps number of updates in all
   */
  void before(long step, long steps);
}
