/** Tells whether an element is in sight, or nearly: what moves each second need not be drawn elsewhere. One observer for all. */
import type { Attachment } from 'svelte/attachments';

type Tell = (inSight: boolean) => void;

const NEAR = '200px';
const told = new WeakMap<Element, Tell>();
const observer = new IntersectionObserver(
  (entries) => {
    for (const { target, isIntersecting } of entries) told.get(target)?.(isIntersecting);
  },
  { rootMargin: NEAR },
);

export function inSight(tell: Tell): Attachment<Element> {
  return (element) => {
    told.set(element, tell);
    observer.observe(element);
    return () => {
      observer.unobserve(element);
    };
  };
}
