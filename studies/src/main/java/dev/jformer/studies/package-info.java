/**
 * The catalogue of the papers whose techniques jformer has or plans, and the studies that measure
 * their claims.
 */
package dev.jformer.studies;
