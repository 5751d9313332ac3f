package dev.jformer.nn;

/** A module that changes in the course of training; a trainer tells it how far that is. */
public interface ScheduledModule {
  /**
   * Before an update, the first after a resumption included.
   *
   * @param step updates done
   * @param steps updates to be done in all
   */
  void before(long step, long steps);
}
